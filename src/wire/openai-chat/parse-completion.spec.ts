import { parseResponse } from './parse-completion.js';

describe('a response that is no JSON', () => {
  it.each([
    ['{"choices":[{"mess', true],
    ['\n [1, 2', true],
    ['<!doctype html><h1>Welcome</h1>', false],
    ['upstream connect error', false],
    ['', false],
  ])('may be billed where it begins as JSON: %j', (text, mayBeBilled) => {
    let error: unknown;
    try {
      parseResponse(text);
    } catch (reason) {
      error = reason;
    }
    expect(error).toMatchObject({ status: 502, retryable: true, mayBeBilled });
  });
});
