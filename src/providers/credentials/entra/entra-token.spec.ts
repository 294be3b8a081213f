import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../../test/fixtures/until.js';
import {
  CloudLogins,
  ENTRA_CLIENT,
  ENTRA_SECRET,
  ENTRA_TENANT,
  IDENTITY_HEADER,
  IDENTITY_PATH,
  WEB_TOKEN,
} from '../../../../test/upstreams/cloud-logins.js';
import { selfSigned } from '../../../../test/upstreams/self-signed.js';
import { GatewayError } from '../../../errors/gateway-error.js';
import type { CloudKey, Connection } from '../../definitions/types/connection.js';
import { definition } from '../../definitions/azure.js';
import { type Authorize, authorizerOf, type UnauthorizedRequest } from '../authorize.js';

type Entry = Partial<Record<CloudKey, string>>;

const REQUEST: UnauthorizedRequest = { method: 'POST', url: 'https://x.example/', headers: {}, body: undefined };
const TOKEN_PATH = `/${ENTRA_TENANT}/oauth2/v2.0/token`;
const INSTANCE_PATH = '/metadata/identity/oauth2/token';
const SCOPE = 'https://cognitiveservices.azure.com/.default';
const APPLICATION: Entry = { tenant_id: ENTRA_TENANT, client_id: ENTRA_CLIENT };
const BY_SECRET: Entry = { ...APPLICATION, client_secret: ENTRA_SECRET };

let logins: CloudLogins;
let folder: string;

beforeAll(async () => {
  logins = await CloudLogins.start();
  folder = mkdtempSync(join(tmpdir(), 'entra-'));
  writeFileSync(join(folder, 'token'), `${WEB_TOKEN}\n`);
});
afterAll(() => {
  logins.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  logins.reset();
});

function connect(entry: Entry, env: Record<string, string> = {}, baseUrl?: string): Connection {
  const all: Record<string, string> = {
    AZURE_AUTHORITY_HOST: `${logins.origin}/`,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: logins.origin,
    ...env,
  };
  return definition.connect!({
    entry: { resource_name: 'mine', ...entry },
    apiKey: undefined,
    baseUrl,
    variable: (name) => all[name],
  });
}

function authorizer(entry: Entry, env: Record<string, string> = {}): Authorize {
  const { cloud, faults, apiKey } = connect(entry, env);
  expect(faults).toEqual([]);
  return authorizerOf('api-key-or-entra', { apiKey, cloud });
}

function faultsOf(...input: Parameters<typeof connect>): string[] {
  return connect(...input).faults.map(({ key }) => key);
}

async function failureOf(authorize: Authorize): Promise<GatewayError> {
  const error: unknown = await Promise.resolve(authorize(REQUEST)).catch((reason: unknown) => reason);
  if (!(error instanceof GatewayError)) throw new Error(`it did not fail with a GatewayError: ${String(error)}`);
  return error;
}

const issued = { authorization: expect.stringMatching(/^Bearer issued-access-token-\d+$/) as string };

describe('an application', () => {
  it('logs in with a secret, of the entry or of the environment, once for calls that come together', async () => {
    const authorize = authorizer(BY_SECRET);
    const all = await Promise.all(Array.from({ length: 20 }, async () => authorize(REQUEST)));
    expect(all).toEqual(Array.from({ length: 20 }, () => issued));
    expect(logins.requests.map(({ path }) => path)).toEqual([TOKEN_PATH]);
    expect(logins.requests[0]!.form.get('scope')).toBe(SCOPE);
    const env = { AZURE_TENANT_ID: ENTRA_TENANT, AZURE_CLIENT_ID: ENTRA_CLIENT, AZURE_CLIENT_SECRET: ENTRA_SECRET };
    expect(await authorizer({ token_scope: 'https://ai.azure.com/.default' }, env)(REQUEST)).toEqual(issued);
    expect(logins.requests[1]!.form.get('scope')).toBe('https://ai.azure.com/.default');
  });

  it('logs in with a certificate', async () => {
    const { key, certificate, publicKey } = selfSigned('gateway');
    logins.publicKeys.push(publicKey);
    const path = join(folder, 'certificate.pem');
    writeFileSync(path, `${certificate}\n${key}`);
    expect(await authorizer({ ...APPLICATION, client_certificate_file: path })(REQUEST)).toEqual(issued);
    writeFileSync(path, `${certificate}\n${selfSigned('another').key}`);
    const error = await failureOf(authorizer(APPLICATION, { AZURE_CLIENT_CERTIFICATE_PATH: path }));
    expect(error.upstream?.message).toContain('must hold a certificate and its RSA private key');
    expect(error.upstream?.message).not.toContain('BEGIN');
  });

  it('logs in with the token of another identity provider, which is read each time', async () => {
    const path = join(folder, 'federated');
    writeFileSync(path, 'federated-canary');
    const authorize = authorizer(
      {},
      { AZURE_TENANT_ID: ENTRA_TENANT, AZURE_CLIENT_ID: ENTRA_CLIENT, AZURE_FEDERATED_TOKEN_FILE: path },
    );
    const refused = await failureOf(authorize);
    expect(refused.upstream).toMatchObject({ status: 401, code: 'invalid_client' });
    expect(JSON.stringify([refused.message, refused.upstream])).not.toContain('canary');
    writeFileSync(path, WEB_TOKEN);
    await until(async () => 'authorization' in (await Promise.resolve(authorize(REQUEST)).catch(() => ({}))));
    expect(await authorizer({ ...APPLICATION, federated_token_file: join(folder, 'token') })(REQUEST)).toEqual(issued);
  });

  it('whose secret is wrong is the operator’s fault, and the secret is not shown', async () => {
    const error = await failureOf(authorizer({ ...BY_SECRET, client_secret: 'wrong-secret-canary' }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error', retryable: true });
    expect(error.upstream?.message).toContain('AADSTS7000215');
    expect(JSON.stringify([error.message, error.upstream, String(error.cause)])).not.toContain('canary');
  });

  it('survives faults of Entra ID that pass, and reports those that stay as 503', async () => {
    logins.disturb(TOKEN_PATH, { status: 503 }, 'reset');
    expect(await authorizer(BY_SECRET)(REQUEST)).toEqual(issued);
    logins.disturb(TOKEN_PATH, { status: 429 }, { status: 429 }, { status: 429 });
    expect(await failureOf(authorizer(BY_SECRET))).toMatchObject({ status: 503, code: 'upstream_unavailable' });
  });

  it.each([
    '',
    '<html>',
    '[]',
    '{}',
    '{"access_token":""}',
    '{"access_token":7,"expires_in":3600}',
    '{"access_token":"a b","expires_in":3600}',
    '{"access_token":"a","expires_in":0}',
  ])('whose response is %s gets no token', async (body) => {
    logins.disturb(TOKEN_PATH, { status: 200, body });
    expect(await failureOf(authorizer(BY_SECRET))).toMatchObject({ status: 503 });
  });

  it('keeps its token while Entra ID cannot renew it', async () => {
    logins.refreshInSeconds = 0;
    const authorize = authorizer(BY_SECRET);
    const first = await authorize(REQUEST);
    logins.disturb(TOKEN_PATH, ...Array.from({ length: 3 }, () => ({ status: 500 })));
    await until(() => {
      expect(authorize(REQUEST)).toEqual(first);
      return logins.requests.length === 4;
    });
  });
});

describe('a managed identity', () => {
  it('of a platform is used where the platform announces it', async () => {
    const env = { IDENTITY_ENDPOINT: `${logins.origin}${IDENTITY_PATH}`, IDENTITY_HEADER };
    expect(await authorizer({}, env)(REQUEST)).toEqual(issued);
    expect(await authorizer({ managed_identity: 'user-assigned' }, env)(REQUEST)).toEqual(issued);
    const asked = logins.requests.filter(({ path }) => path === IDENTITY_PATH);
    expect(asked.map(({ query }) => Object.fromEntries(query))).toEqual([
      { 'api-version': '2019-08-01', resource: 'https://cognitiveservices.azure.com' },
      { 'api-version': '2019-08-01', resource: 'https://cognitiveservices.azure.com', client_id: 'user-assigned' },
    ]);
  });

  it('of a virtual machine is used where the entry asks for it, also before it is ready', async () => {
    logins.disturb(INSTANCE_PATH, { status: 404 }, { status: 410 });
    expect(await authorizer({ managed_identity: 'system' })(REQUEST)).toEqual(issued);
    expect(await authorizer({ managed_identity: 'user-assigned' })(REQUEST)).toEqual(issued);
    const asked = logins.requests.filter(({ path }) => path === INSTANCE_PATH);
    expect(asked.map(({ query }) => query.get('client_id'))).toEqual([null, null, null, 'user-assigned']);
    logins.disturb(INSTANCE_PATH, {
      status: 400,
      body: '{"error":"invalid_request","error_description":"Identity not found"}',
    });
    const error = await failureOf(authorizer({ managed_identity: 'system' }));
    expect(error.upstream).toMatchObject({
      status: 400,
      message: expect.stringContaining('Identity not found') as string,
    });
  });
});

describe('the configuration of a login', () => {
  it('names what is missing or given twice', () => {
    expect(faultsOf({})).toEqual(['api_key']);
    expect(faultsOf({ client_secret: 's' })).toEqual(['tenant_id', 'client_id']);
    expect(faultsOf({ ...APPLICATION })).toEqual(['client_secret']);
    expect(faultsOf({ ...BY_SECRET, federated_token_file: '/t' })).toEqual(['federated_token_file']);
    expect(faultsOf({ ...BY_SECRET, managed_identity: 'system' })).toEqual(['managed_identity']);
    expect(faultsOf(BY_SECRET, { AZURE_AUTHORITY_HOST: 'http://login.example' })).toEqual(['client_secret']);
  });

  it('of the entry comes before a key of the environment, and that before a login of the environment', () => {
    const login = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's' };
    expect(connect(BY_SECRET, { AZURE_API_KEY: 'k' })).toMatchObject({
      apiKey: undefined,
      cloud: { entra: { kind: 'client-secret' } },
    });
    expect(connect({}, { AZURE_API_KEY: 'k', ...login })).toMatchObject({ apiKey: 'k' });
    expect(connect({}, { AZURE_API_KEY: 'k', ...login }).cloud).not.toHaveProperty('entra');
    expect(connect({}, login)).toMatchObject({
      apiKey: undefined,
      cloud: { entra: { kind: 'client-secret', tenantId: 't' } },
    });
  });

  it('of the environment is for hosts of Azure alone', () => {
    const login = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_CLIENT_SECRET: 's', AZURE_AUTHORITY_HOST: '' };
    const entraAt = (baseUrl: string, entry: Entry = {}): unknown => {
      const all: Record<string, string> = login;
      const variable = (name: string): string | undefined => (all[name] === '' ? undefined : all[name]);
      return definition.connect!({ entry, apiKey: undefined, baseUrl, variable }).cloud.entra;
    };
    expect(entraAt('https://proxy.example/openai')).toBeUndefined();
    expect(entraAt('https://evil-azure.com/openai')).toBeUndefined();
    expect(entraAt('https://proxy.example/openai', { managed_identity: 'system' })).toMatchObject({ kind: 'instance' });
    expect(entraAt('https://r.openai.azure.com/openai')).toMatchObject({
      scope: SCOPE,
      authority: 'https://login.microsoftonline.com',
    });
    expect(entraAt('https://r.services.ai.azure.com/anthropic')).toMatchObject({ scope: SCOPE });
    expect(entraAt('https://r.openai.azure.us/openai')).toMatchObject({
      scope: 'https://cognitiveservices.azure.us/.default',
      authority: 'https://login.microsoftonline.us',
    });
  });
});
