import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '../../errors/gateway-error.js';
import type { CredentialsKind } from '../definitions/definition.js';
import { authorizerOf, type UnauthorizedRequest } from './authorize.js';

const REQUEST: UnauthorizedRequest = {
  method: 'POST',
  url: 'https://bedrock-runtime.eu-west-1.amazonaws.com/model/eu.amazon.nova-2-lite-v1%3A0/invoke?a=b%20c',
  headers: { 'content-type': 'application/json', accept: 'application/json', 'x-request-id': 'req-1' },
  body: Buffer.from('{"text":"é"}'),
};

describe('an API key', () => {
  it.each<[CredentialsKind, Record<string, string>]>([
    ['bearer', { authorization: 'Bearer key-1' }],
    ['aws', { authorization: 'Bearer key-1' }],
    ['x-api-key', { 'x-api-key': 'key-1' }],
    ['api-key', { 'api-key': 'key-1' }],
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
});

/** Signature Version 4 as AWS documents it, written a second time. */
function expectedSignature(request: UnauthorizedRequest, signed: Record<string, string>, secret: string): string {
  const { pathname, searchParams, host } = new URL(request.url);
  const all: Record<string, string> = { ...request.headers, ...signed, host };
  const [, scope = '', names = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+),/.exec(signed['authorization'] ?? '') ?? [];
  const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const canonical = [
    request.method,
    // Each segment of a path that is already encoded is encoded again.
    pathname.split('/').map(encodeURIComponent).join('/'),
    [...searchParams].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&'),
    ...names.split(';').map((name) => `${name}:${all[name] ?? ''}`),
    '',
    names,
    hash(request.body ?? ''),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', signed['x-amz-date'], scope, hash(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((previous, part) => hmac(previous, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

describe('AWS access keys', () => {
  const cloud = { region: 'eu-west-1', accessKeyId: 'AKIAFAKE', secretAccessKey: 'secret/0123' };

  it.each([
    ['', cloud, REQUEST],
    [' with a session token', { ...cloud, sessionToken: 'token==' }, REQUEST],
    [' without a body', cloud, { ...REQUEST, method: 'GET', body: undefined }],
  ])('sign as AWS documents it%s', async (_case, keys, request) => {
    const headers = await authorizerOf('aws', { apiKey: undefined, cloud: keys })(request);
    const authorization = headers['authorization'] ?? '';
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAFAKE\/\d{8}\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=/,
    );
    expect(authorization).toContain('host;x-amz-date');
    if ('sessionToken' in keys) expect(authorization).toContain('x-amz-security-token');
    expect(/Signature=([0-9a-f]{64})$/.exec(authorization)?.[1]).toBe(
      expectedSignature(request, headers, keys.secretAccessKey),
    );
    expect(JSON.stringify(headers)).not.toContain(keys.secretAccessKey);
  });

  it('are an error of the operator where they are incomplete', async () => {
    const authorize = authorizerOf('aws', { apiKey: undefined, cloud: { region: 'eu-west-1', accessKeyId: 'A' } });
    await expect(Promise.resolve(authorize(REQUEST))).rejects.toMatchObject({ code: 'upstream_error' });
  });
});

describe('Google Cloud', () => {
  const directory = mkdtempSync(join(tmpdir(), 'google-'));
  const before = { ...process.env };
  let server: Server;
  let origin: string;
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.setHeader('metadata-flavor', 'Google');
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ access_token: `token-of-${request.method}`, expires_in: 3_600, token_type: 'Bearer' }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env['GCE_METADATA_HOST'] = origin.slice('http://'.length);
    process.env['METADATA_SERVER_DETECTION'] = 'assume-present';
    process.env['CLOUDSDK_CONFIG'] = directory;
    delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  });
  afterAll(() => {
    process.env = before;
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('takes the token of the machine from its metadata server, once for several requests', async () => {
    const authorize = authorizerOf('google-cloud', { apiKey: undefined, cloud: {} });
    expect(await authorize(REQUEST)).toEqual({ authorization: 'Bearer token-of-GET' });
    const requests = asked.length;
    expect(await authorize(REQUEST)).toEqual({ authorization: 'Bearer token-of-GET' });
    expect(asked).toHaveLength(requests);
    expect(asked.at(-1)).toMatch(/service-accounts\/default\/token/);
  });

  it('takes the credentials of a file', async () => {
    const credentialsFile = join(directory, 'credentials.json');
    const subject = join(directory, 'subject.txt');
    writeFileSync(subject, 'subject-token');
    writeFileSync(
      credentialsFile,
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${origin}/v1/token`,
        credential_source: { file: subject },
      }),
    );
    const authorize = authorizerOf('google-cloud', { apiKey: undefined, cloud: { credentialsFile } });
    expect(await authorize(REQUEST)).toEqual({ authorization: 'Bearer token-of-POST' });
    expect(asked.at(-1)).toBe('POST /v1/token');
  });

  it('says that the login failed, without the content of the file, and tries again', async () => {
    const credentialsFile = join(directory, 'broken.json');
    writeFileSync(credentialsFile, '{"private_key": "secret-canary"');
    const authorize = authorizerOf('google-cloud', { apiKey: undefined, cloud: { credentialsFile } });
    const error: unknown = await Promise.resolve(authorize(REQUEST)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('canary');
    writeFileSync(credentialsFile, JSON.stringify({ type: 'authorized_user' }));
    await expect(Promise.resolve(authorize(REQUEST))).rejects.toMatchObject({ code: 'upstream_error' });
  });
});
