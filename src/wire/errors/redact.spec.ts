import { redactor } from './redact.js';

describe('redactor', () => {
  const redact = redactor({
    apiKey: 'my+secret(key)',
    baseUrl: 'https://llm.internal.example:8443/v1',
    headers: { 'api-key': 'azure-secret-value', 'x-team': 'a' },
  });

  it.each([
    ['key my+secret(key) is bad', 'key [redacted] is bad'],
    ['see https://llm.internal.example:8443/v1/models', 'see [redacted]/models'],
    ['no route to LLM.internal.example', 'no route to [redacted]'],
    ['header azure-secret-value', 'header [redacted]'],
    ['Incorrect API key provided: sk-proj-abc*****wxyz.', 'Incorrect API key provided: [redacted]'],
    ['gsk_abcdefghijkl', '[redacted]'],
    ['Bearer abcdefghijkl', '[redacted]'],
    ['a team task: risk-free', 'a team task: risk-free'],
  ])('%p becomes %p', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('leaves words alone that happen to be a host name', () => {
    const local = redactor({ apiKey: undefined, baseUrl: 'http://vllm:8000/v1', headers: {} });
    expect(local('vllm says no at vllm:8000')).toBe('vllm says no at [redacted]');
  });
});
