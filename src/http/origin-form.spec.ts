import type { HttpRequest } from './http-types.js';
import { useOriginForm } from './origin-form.js';

it.each([
  ['/v1/models?limit=1', '/v1/models?limit=1'],
  ['http://gateway:3000/v1/models?limit=1', '/v1/models?limit=1'],
  ['HTTPS://[::1]:3000/chat/completions', '/chat/completions'],
  ['http://gateway', '/'],
  ['http://gateway?key=x', '/?key=x'],
  ['http:///v1/models', '/v1/models'],
  ['/v1/models/http://x/y', '/v1/models/http://x/y'],
  ['*', '*'],
  ['ftp://gateway/v1/models', 'ftp://gateway/v1/models'],
])('reads the target %s as %s', (url, expected) => {
  const request = { url } as HttpRequest;
  useOriginForm(request);
  expect(request.url).toBe(expected);
});
