import { credentialOf } from './credential.js';

describe('the credential of a request', () => {
  it.each([
    [{ authorization: 'Bearer abc' }, 'abc'],
    [{ authorization: 'bearer   abc ' }, 'abc'],
    [{ 'x-api-key': 'abc' }, 'abc'],
    [{ authorization: 'Bearer abc', 'x-api-key': 'abc' }, 'abc'],
    [{ authorization: 'Bearer abc', 'x-api-key': 'other' }, undefined],
    [{ authorization: 'Basic abc', 'x-api-key': 'abc' }, undefined],
    [{ authorization: 'Bearer a b' }, undefined],
    [{ authorization: 'Bearer ' }, undefined],
    [{ authorization: 'abc' }, undefined],
    [{ 'x-api-key': '' }, undefined],
    [{ authorization: `Bearer ${'a'.repeat(513)}` }, undefined],
    [{}, undefined],
  ])('of %j is %s', (headers, expected) => {
    expect(credentialOf(headers)).toBe(expected);
  });
});
