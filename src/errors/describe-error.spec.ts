import { describeError } from './describe-error.js';
import { GatewayError } from './gateway-error.js';

const CANARY = 'canary-7f3a';

describe('describeError', () => {
  it('keeps the message and code of an ordinary error', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    expect(describeError(error)).toMatchObject({
      name: 'Error',
      code: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED 127.0.0.1:5432',
    });
    expect(describeError(error).stack?.[0]).toMatch(/^at /);
  });

  it('leaves out what quotes a body: JSON errors, refusals of an upstream, and any property', () => {
    let syntaxError: unknown;
    try {
      JSON.parse(`{"prompt": ${CANARY}}`);
    } catch (error) {
      syntaxError = error;
    }
    const refusal = new GatewayError({ status: 400, type: 'x', code: 'conflict', message: CANARY, cause: syntaxError });
    const queryFailed = Object.assign(new Error('insert failed', { cause: refusal }), {
      query: CANARY,
      parameters: [CANARY],
      detail: CANARY,
    });
    const described = JSON.stringify([describeError(syntaxError), describeError(refusal), describeError(queryFailed)]);
    expect(described).not.toContain(CANARY);
    expect(described).toContain('insert failed');
    expect(described).toContain('SyntaxError');
  });

  it('says no more than the type of what is not an error, and ends on a circle of causes', () => {
    expect(describeError(CANARY)).toEqual({ name: 'string' });
    const circular = new Error('round');
    circular.cause = circular;
    expect(describeError(circular).cause?.cause?.cause?.cause).toBeUndefined();
  });
});
