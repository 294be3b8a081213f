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
    expect(credentialOf({ headers, url: '/v1/models' })).toBe(expected);
  });

  it.each([
    ['/v1beta/models?key=abc', {}, 'abc'],
    ['/v1beta/models/m:generateContent?alt=sse&key=a%2Bc', {}, 'a+c'],
    ['/v1beta/models?key=abc', { authorization: 'Bearer abc' }, 'abc'],
    ['/v1beta/models?key=abc', { authorization: 'Bearer other' }, undefined],
    ['/v1beta/models', { 'x-goog-api-key': 'abc' }, 'abc'],
    ['/v1beta/models?key=', {}, undefined],
    ['/v1/models?key=abc', {}, undefined],
    ['/?x=/v1beta/&key=abc', {}, undefined],
  ])('of %s with %j is %s', (url, headers, expected) => {
    expect(credentialOf({ headers, url })).toBe(expected);
  });
});
