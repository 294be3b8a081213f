import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../../test/fixtures/until.js';
import { CloudLogins, METADATA_PROJECT, REFRESH_TOKEN, WEB_TOKEN } from '../../../../test/upstreams/cloud-logins.js';
import { GatewayError } from '../../../errors/gateway-error.js';
import type { CloudSettings } from '../../definitions/types/connection.js';
import { PROJECT_OF_LOGIN } from '../../definitions/logins/google-login.js';
import { definition } from '../../definitions/vertex.js';
import { type Authorize, authorizerOf, type AuthorizationHeaders, type UnauthorizedRequest } from '../authorize.js';

const REQUEST: UnauthorizedRequest = { method: 'POST', url: 'https://x.example/', headers: {}, body: undefined };
const TOKEN_PATH = '/computeMetadata/v1/instance/service-accounts/default/token';

let logins: CloudLogins;
let folder: string;
let privateKey: string;

beforeAll(async () => {
  logins = await CloudLogins.start();
  folder = mkdtempSync(join(tmpdir(), 'google-'));
  const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  logins.publicKeys.push(pair.publicKey);
  privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeFileSync(join(folder, 'subject'), WEB_TOKEN);
});
afterAll(() => {
  logins.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  logins.reset();
});

function file(content: object): string {
  const path = join(folder, `${Math.random()}.json`);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

function cloudOf(
  entry: { credentials_file?: string; project?: string },
  env: Record<string, string> = {},
): CloudSettings {
  const all: Record<string, string> = {
    CLOUDSDK_CONFIG: folder,
    GCE_METADATA_HOST: new URL(logins.origin).host,
    ...env,
  };
  const { cloud, faults } = definition.connect!({
    entry,
    apiKey: undefined,
    baseUrl: undefined,
    variable: (name) => all[name],
  });
  expect(faults).toEqual([]);
  return cloud;
}

function authorizer(...settings: Parameters<typeof cloudOf>): Authorize {
  return authorizerOf('google-cloud', { apiKey: undefined, cloud: cloudOf(...settings) });
}

async function failureOf(headers: AuthorizationHeaders | Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await Promise.resolve(headers).catch((reason: unknown) => reason);
  if (!(error instanceof GatewayError)) throw new Error(`it did not fail with a GatewayError: ${String(error)}`);
  return error;
}

const issued = { authorization: expect.stringMatching(/^Bearer issued-access-token-\d+$/) as string };

const serviceAccount = (): object => ({
  type: 'service_account',
  project_id: 'account-project',
  client_email: 'gateway@account-project.iam.gserviceaccount.com',
  private_key: privateKey,
  private_key_id: 'key-id',
  token_uri: `${logins.origin}/google/token`,
});
const user = (): object => ({
  type: 'authorized_user',
  client_id: 'client',
  client_secret: 'client-secret-canary',
  refresh_token: REFRESH_TOKEN,
  quota_project_id: 'quota-project',
  token_uri: `${logins.origin}/google/token`,
});
const federated = (): Record<string, unknown> => ({
  type: 'external_account',
  audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: `${logins.origin}/google/sts`,
  credential_source: { file: join(folder, 'subject') },
});

describe('a credentials file', () => {
  it('of a service account signs for a token at its token_uri, once for calls that come together', async () => {
    const authorize = authorizer({ credentials_file: file(serviceAccount()) });
    const held = logins.hold('/google/token');
    const calls = Array.from({ length: 20 }, async () => authorize(REQUEST));
    await until(() => logins.requests.length > 0);
    held.release();
    expect(new Set((await Promise.all(calls)).map((headers) => JSON.stringify(headers))).size).toBe(1);
    expect(await authorize(REQUEST)).toEqual(issued);
    expect(logins.requests.map(({ path }) => path)).toEqual(['/google/token']);
    expect(await authorize.project?.()).toBe('account-project');
  });

  it('of a user renews the token of gcloud’s login, and charges the quota to its project', async () => {
    const authorize = authorizer({}, { GOOGLE_APPLICATION_CREDENTIALS: file(user()) });
    expect(await authorize(REQUEST)).toEqual({ ...issued, 'x-goog-user-project': 'quota-project' });
    expect(await authorize.project?.()).toBe('quota-project');
  });

  it('of workload identity federation exchanges the subject’s token, also for a service account', async () => {
    expect(await authorizer({ credentials_file: file(federated()) })(REQUEST)).toEqual(issued);
    const impersonating = {
      ...federated(),
      service_account_impersonation_url: `${logins.origin}/google/impersonate:generateAccessToken?of=a@own-project.iam.gserviceaccount.com`,
    };
    const authorize = authorizer({ credentials_file: file(impersonating) });
    expect(await authorize(REQUEST)).toEqual(issued);
    expect(await authorize.project?.()).toBe('own-project');
    expect(logins.countOf('/google/impersonate:generateAccessToken')).toBe(1);
  });

  it('is read from gcloud’s folder where none is named', async () => {
    writeFileSync(join(folder, 'application_default_credentials.json'), JSON.stringify(user()));
    try {
      expect(await authorizer({})(REQUEST)).toMatchObject(issued);
      expect(logins.countOf('/google/token')).toBe(1);
    } finally {
      rmSync(join(folder, 'application_default_credentials.json'));
    }
  });

  it.each([
    ['that is no JSON', '{"private_key": "file-canary"', 'not a JSON object'],
    ['that is a list', '["file-canary"]', 'not a JSON object'],
    ['without a type', '{"private_key": "file-canary"}', 'has no type'],
    ['without a key', '{"type": "service_account", "client_email": "a"}', 'private_key'],
    ['with a broken key', '{"type": "service_account", "client_email": "a", "private_key": "file-canary"}', 'failed'],
    [
      'without a refresh token',
      '{"type": "authorized_user", "client_secret": "file-canary", "client_id": "a"}',
      'refresh_token',
    ],
  ])('%s is the operator’s fault, and is not quoted', async (_case, content, words) => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, content);
    const error = await failureOf(authorizer({ credentials_file: path })(REQUEST));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(error.upstream?.message).toContain(words);
    expect(JSON.stringify([error.message, error.upstream, String(error.cause)])).not.toContain('canary');
  });

  it('that is missing, or whose login is refused, fails until it is corrected', async () => {
    const path = join(folder, 'later.json');
    const authorize = authorizer({ credentials_file: path });
    expect((await failureOf(authorize(REQUEST))).upstream?.message).toContain('cannot be read (ENOENT)');
    writeFileSync(path, JSON.stringify({ ...user(), refresh_token: 'revoked-canary' }));
    let refused: GatewayError | undefined;
    await until(async () => {
      refused = await failureOf(authorize(REQUEST));
      return refused.upstream?.status === 400;
    });
    expect(refused).toMatchObject({ status: 502, upstream: { status: 400, code: 'invalid_grant' } });
    expect(refused?.upstream?.message).toContain('expired or revoked');
    writeFileSync(path, JSON.stringify(user()));
    await until(async () => {
      const headers = await Promise.resolve(authorize(REQUEST)).catch(() => ({}));
      return 'authorization' in headers;
    });
  });

  it('whose token service is disturbed is a fault that passes', async () => {
    const refuse = { status: 503, body: '{"error":"temporarily_unavailable"}' };
    logins.disturb('/google/token', ...Array.from({ length: 8 }, () => refuse));
    const unavailable = await failureOf(authorizer({ credentials_file: file(user()) })(REQUEST));
    expect(unavailable).toMatchObject({ status: 503, code: 'upstream_unavailable', retryable: true });
    logins.reset();
    logins.disturb('/google/token', ...Array.from({ length: 8 }, () => 'reset' as const));
    expect(await failureOf(authorizer({ credentials_file: file(user()) })(REQUEST))).toMatchObject({ status: 503 });
    logins.reset();
    logins.disturb('/google/token', { status: 200, body: '<html>token-canary</html>' });
    const malformed = await failureOf(authorizer({ credentials_file: file(user()) })(REQUEST));
    expect(malformed).toMatchObject({ status: 503 });
    expect(JSON.stringify([malformed.message, malformed.upstream])).not.toContain('canary');
  });

  it('whose subject token is missing names that file', async () => {
    const path = join(folder, 'no-subject');
    const error = await failureOf(
      authorizer({ credentials_file: file({ ...federated(), credential_source: { file: path } }) })(REQUEST),
    );
    expect(error).toMatchObject({ status: 502, upstream: { message: expect.stringContaining(path) as string } });
  });
});

describe('a machine of Google Cloud', () => {
  it('has a token of its metadata server, renewed before it expires', async () => {
    logins.refreshInSeconds = 0;
    const authorize = authorizer({});
    const first = await authorize(REQUEST);
    expect(first).toEqual(issued);
    expect(logins.requests[0]).toMatchObject({ path: TOKEN_PATH, method: 'GET' });
    expect(logins.requests[0]!.query.get('scopes')).toBe('https://www.googleapis.com/auth/cloud-platform');
    // While the new token is fetched, the one before is used.
    const held = logins.hold(TOKEN_PATH);
    await until(() => {
      expect(authorize(REQUEST)).toEqual(first);
      return logins.requests.length === 2;
    });
    expect(authorize(REQUEST)).toEqual(first);
    held.release();
    await until(async () => JSON.stringify(await authorize(REQUEST)) !== JSON.stringify(first));
  });

  it('has a project of its metadata server', async () => {
    const cloud = cloudOf({});
    expect(cloud.project).toBe(PROJECT_OF_LOGIN);
    const authorize = authorizerOf('google-cloud', { apiKey: undefined, cloud });
    expect(await authorize.project?.()).toBe(METADATA_PROJECT);
    expect(await authorize.project?.()).toBe(METADATA_PROJECT);
    expect(logins.countOf('/computeMetadata/v1/project/project-id')).toBe(1);
    expect(cloudOf({ project: 'named' }).project).toBe('named');
    logins.disturb('/computeMetadata/v1/project/project-id', { status: 200, body: '../../x' });
    expect(await failureOf(authorizer({}).project!())).toMatchObject({ status: 502 });
  });

  it('whose metadata server is disturbed is asked again; another machine has no login', async () => {
    logins.disturb(TOKEN_PATH, { status: 503 }, 'reset');
    expect(await authorizer({})(REQUEST)).toEqual(issued);
    logins.disturb(TOKEN_PATH, { status: 200, body: '{"expires_in":10}' });
    expect(await failureOf(authorizer({})(REQUEST))).toMatchObject({ status: 503 });
    const nowhere = await failureOf(authorizer({}, { GCE_METADATA_HOST: '127.0.0.1:9' })(REQUEST));
    expect(nowhere).toMatchObject({
      status: 503,
      upstream: { message: expect.stringContaining('no credentials file') as string },
    });
  });
});
