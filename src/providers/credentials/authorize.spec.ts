import type { CredentialsKind } from '../definitions/definition.js';
import { authorizerOf, type UnauthorizedRequest } from './authorize.js';

const REQUEST: UnauthorizedRequest = {
  method: 'POST',
  url: 'https://provider.example/v1/embeddings',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{}'),
};

describe('an API key', () => {
  it.each<[CredentialsKind, Record<string, string>]>([
    ['bearer', { authorization: 'Bearer key-1' }],
    ['aws', { authorization: 'Bearer key-1' }],
    ['x-api-key', { 'x-api-key': 'key-1' }],
    ['api-key', { 'api-key': 'key-1' }],
    ['api-key-or-entra', { 'api-key': 'key-1' }],
    ['x-api-key-or-entra', { 'x-api-key': 'key-1' }],
    ['x-goog-api-key', { 'x-goog-api-key': 'key-1' }],
    ['google-cloud', { 'x-goog-api-key': 'key-1' }],
    ['none', {}],
  ])('%s', async (kind, headers) => {
    expect(await authorizerOf(kind, { apiKey: 'key-1' })(REQUEST)).toEqual(headers);
  });

  it.each<CredentialsKind>(['bearer', 'x-api-key', 'none'])('%s sends nothing without a key', async (kind) => {
    expect(await authorizerOf(kind, { apiKey: undefined })(REQUEST)).toEqual({});
    expect(await authorizerOf(kind, { apiKey: '' })(REQUEST)).toEqual({});
  });

  it.each<CredentialsKind>(['api-key-or-entra', 'x-api-key-or-entra', 'aws'])(
    '%s fails without a key and a login, as the operator’s fault',
    async (kind) => {
      const failed = Promise.resolve(authorizerOf(kind, { apiKey: undefined, cloud: {} })(REQUEST));
      await expect(failed).rejects.toMatchObject({ status: 502, code: 'upstream_error' });
    },
  );
});
