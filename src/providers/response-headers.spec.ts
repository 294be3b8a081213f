import { passedResponseHeaders } from './response-headers.js';

const PREFIXES = ['anthropic-ratelimit-', 'anthropic-priority-'];

function passed(headers: Record<string, string | string[]>): Record<string, string> {
  const taken: Record<string, string> = {};
  passedResponseHeaders(PREFIXES, (each) => Object.assign(taken, each))?.(headers);
  return taken;
}

describe('headers of a response that a client gets', () => {
  it('rule 10: are those that begin as the definition says, known to the gateway or not', () => {
    const limits = {
      'anthropic-ratelimit-requests-remaining': '9',
      'anthropic-ratelimit-of-next-year': '1',
      'anthropic-priority-input-tokens-limit': '10000',
    };
    const others = {
      'anthropic-organization-id': 'org',
      'set-cookie': ['anthropic-ratelimit-a=b'],
      'x-anthropic-ratelimit-a': 'no',
      'content-length': '5',
      connection: 'keep-alive',
    };
    expect(passed({ ...limits, ...others })).toEqual(limits);
  });

  it('are bounded in number and length', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`anthropic-ratelimit-${index}`, 'x']));
    expect(Object.keys(passed(many)).length).toBeLessThanOrEqual(48);
    expect(
      passed({
        'anthropic-ratelimit-long': 'x'.repeat(257),
        'anthropic-ratelimit-other': '\u00e9',
        'anthropic-ratelimit-short': 'x',
      }),
    ).toEqual({
      'anthropic-ratelimit-short': 'x',
    });
  });

  it('are not read where no caller takes them', () => {
    expect(passedResponseHeaders(PREFIXES, undefined)).toBeUndefined();
    expect(passedResponseHeaders(undefined, () => undefined)).toBeUndefined();
  });
});
