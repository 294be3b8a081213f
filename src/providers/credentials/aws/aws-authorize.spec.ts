import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../../test/fixtures/until.js';
import { type Signature, verifySignature } from '../../../../test/upstreams/aws-signature.js';
import {
  CloudLogins,
  CONTAINER_PATH,
  CONTAINER_TOKEN,
  INSTANCE_ROLE,
  WEB_TOKEN,
} from '../../../../test/upstreams/cloud-logins.js';
import { GatewayError } from '../../../errors/gateway-error.js';
import type { CloudKey, CloudSettings } from '../../definitions/definition.js';
import { definition } from '../../definitions/bedrock.js';
import { type Authorize, authorizerOf, type UnauthorizedRequest } from '../authorize.js';

const REQUEST: UnauthorizedRequest = {
  method: 'POST',
  url: 'https://bedrock-runtime.eu-west-1.amazonaws.com/model/eu.amazon.nova-2-lite-v1%3A0/converse?b=2&a=b%20c',
  headers: { 'content-type': 'application/json', accept: 'application/json', 'x-request-id': 'req-1' },
  body: Buffer.from('{"text":"é"}'),
};
const REGION = 'eu-west-1';
const ROLE = 'arn:aws:iam::123456789012:role/bedrock';
const INSTANCE_PATH = `/latest/meta-data/iam/security-credentials/${encodeURIComponent(INSTANCE_ROLE)}`;

let logins: CloudLogins;
let folder: string;
let common: Record<string, string>;

beforeAll(async () => {
  logins = await CloudLogins.start();
  folder = mkdtempSync(join(tmpdir(), 'aws-'));
  writeFileSync(join(folder, 'token'), `${WEB_TOKEN}\n`);
  logins.awsKeys.set('AKIALONGLIVED0000001', { secretAccessKey: 'long/secret+1' });
  common = {
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_ENDPOINT_URL_STS: `${logins.origin}/sts`,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: `${logins.origin}/`,
  };
});
afterAll(() => {
  logins.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  logins.reset();
  writeFileSync(join(folder, 'credentials'), '');
  writeFileSync(join(folder, 'config'), '');
});

function connect(
  entry: Partial<Record<CloudKey, string>>,
  env: Record<string, string> = {},
): { cloud: CloudSettings; faults: readonly { key: string; message: string }[] } {
  const all: Record<string, string> = { ...common, ...env };
  return definition.connect!({
    entry: { region: REGION, ...entry },
    apiKey: undefined,
    baseUrl: undefined,
    variable: (name) => all[name],
  });
}

function authorizer(entry: Partial<Record<CloudKey, string>>, env: Record<string, string> = {}): Authorize {
  const { cloud, faults } = connect(entry, env);
  expect(faults).toEqual([]);
  return authorizerOf('aws', { apiKey: undefined, cloud });
}

/** What AWS finds when it checks the request. */
async function signatureOf(authorize: Authorize, request = REQUEST): Promise<Signature | string> {
  const added = await authorize(request);
  const { host, pathname, search } = new URL(request.url);
  return verifySignature(
    {
      method: request.method,
      url: `${pathname}${search}`,
      headers: { ...request.headers, ...added, host },
      body: request.body ?? Buffer.alloc(0),
    },
    (id) => logins.awsKeys.get(id),
  );
}

async function failureOf(authorize: Authorize): Promise<GatewayError> {
  const error: unknown = await Promise.resolve(authorize(REQUEST)).catch((reason: unknown) => reason);
  if (!(error instanceof GatewayError)) throw new Error(`it did not fail with a GatewayError: ${String(error)}`);
  return error;
}

const issued = { accessKeyId: expect.stringMatching(/^ASIAISSUEDKEY/) as string, region: REGION, service: 'bedrock' };
const LONG_LIVED = { access_key_id: 'AKIALONGLIVED0000001', secret_access_key: 'long/secret+1' };

describe('access keys', () => {
  it.each([
    ['of the entry', LONG_LIVED, {}],
    ['of the environment', {}, { AWS_ACCESS_KEY_ID: 'AKIALONGLIVED0000001', AWS_SECRET_ACCESS_KEY: 'long/secret+1' }],
  ])('%s sign as AWS checks it, for any region, and with no login', async (_case, entry, env) => {
    for (const region of ['eu-west-1', 'us-gov-west-1', 'cn-north-1']) {
      const authorize = authorizer({ ...entry, region }, env);
      for (const request of [REQUEST, { ...REQUEST, method: 'GET', body: undefined }]) {
        expect(await signatureOf(authorize, request)).toEqual({
          accessKeyId: 'AKIALONGLIVED0000001',
          region,
          service: 'bedrock',
        });
      }
    }
    expect(logins.requests).toEqual([]);
  });

  it('are signed with their session token, which belongs to them alone', async () => {
    logins.awsKeys.set('ASIATEMPORARY0000001', { secretAccessKey: 's', sessionToken: 'of/the+keys==' });
    const temporary = { access_key_id: 'ASIATEMPORARY0000001', secret_access_key: 's', session_token: 'of/the+keys==' };
    expect(await signatureOf(authorizer(temporary, { AWS_SESSION_TOKEN: 'another' }))).toMatchObject({
      accessKeyId: 'ASIATEMPORARY0000001',
    });
    expect(await signatureOf(authorizer(LONG_LIVED, { AWS_SESSION_TOKEN: 'another' }))).toMatchObject({
      region: REGION,
    });
  });

  it('that are incomplete, or stand beside another login, are faults of the configuration', () => {
    const keysOf = (entry: Partial<Record<CloudKey, string>>, env = {}): string[] =>
      connect(entry, env).faults.map(({ key }) => key);
    expect(keysOf({ access_key_id: 'A' })).toEqual(['api_key']);
    expect(keysOf({}, { AWS_SECRET_ACCESS_KEY: 's' })).toEqual(['api_key']);
    expect(keysOf({ ...LONG_LIVED, profile: 'a' })).toEqual(['profile']);
    expect(keysOf({ profile: 'a', web_identity_token_file: '/t' })).toEqual(['web_identity_token_file']);
    expect(keysOf({ web_identity_token_file: '/t' })).toEqual(['role_arn']);
    expect(keysOf({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://10.0.0.1/c' })).toEqual(['api_key']);
    expect(keysOf({}, { AWS_ENDPOINT_URL_STS: 'http://sts.example' })).toEqual(['region']);
  });

  it('that cannot be found fail at the request, as the operator’s fault', async () => {
    const error = await failureOf(authorizer({}, { AWS_EC2_METADATA_DISABLED: 'true' }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(error.upstream?.message).toContain('no AWS credentials');
    const incomplete = authorizerOf('aws', { apiKey: undefined, cloud: { region: REGION, accessKeyId: 'A' } });
    expect(await failureOf(incomplete)).toMatchObject({ status: 502, code: 'upstream_error' });
  });

  it('have the order of AWS’s own tools', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKIALONGLIVED0000001', AWS_SECRET_ACCESS_KEY: 'long/secret+1' };
    const sources = (entry: Partial<Record<CloudKey, string>>, all: Record<string, string>): string[] =>
      connect(entry, all).cloud.aws?.sources.map(({ kind }) => kind) ?? [];
    const token = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: ROLE };
    const container = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${logins.origin}${CONTAINER_PATH}` };
    const all = { ...env, AWS_PROFILE: 'p', ...token, ...container };
    expect(sources({ profile: 'mine' }, all)).toEqual(['profile']);
    expect(sources({}, all)).toEqual(['keys']);
    expect(sources({}, { AWS_PROFILE: 'p', ...token, ...container })).toEqual(['profile']);
    expect(sources({}, { ...token, ...container })).toEqual(['web-identity']);
    expect(sources({}, container)).toEqual(['profile', 'container']);
    expect(sources({}, {})).toEqual(['profile', 'instance']);
    // The default profile of the files comes before the machine, and the machine is not asked.
    writeFileSync(
      join(folder, 'credentials'),
      '[default]\naws_access_key_id = AKIALONGLIVED0000001\naws_secret_access_key = long/secret+1\n',
    );
    expect(await signatureOf(authorizer({}))).toMatchObject({ accessKeyId: 'AKIALONGLIVED0000001' });
    expect(logins.requests).toEqual([]);
  });
});

describe('a web identity', () => {
  const env = (): Record<string, string> => ({
    AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'),
    AWS_ROLE_ARN: ROLE,
    AWS_ROLE_SESSION_NAME: 'pod-1',
  });

  it('becomes keys of its role, once for calls that come together, without other credentials', async () => {
    const authorize = authorizer({}, env());
    const found = await Promise.all(Array.from({ length: 20 }, () => signatureOf(authorize)));
    expect(found).toEqual(Array.from({ length: 20 }, () => issued));
    expect(logins.requests).toHaveLength(1);
    expect(logins.requests[0]!.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(logins.requests[0]!.form)).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: ROLE,
      RoleSessionName: 'pod-1',
    });
  });

  it('may be named by the entry, and its role may assume another one', async () => {
    const token = { web_identity_token_file: join(folder, 'token'), role_arn: ROLE };
    expect(await signatureOf(authorizer(token))).toEqual(issued);
    expect(logins.requests.map(({ form }) => form.get('Action'))).toEqual(['AssumeRoleWithWebIdentity']);
    logins.reset();
    const other = 'arn:aws:iam::210987654321:role/other-account';
    expect(await signatureOf(authorizer({ role_arn: other }, env()))).toEqual(issued);
    expect(logins.requests.map(({ form }) => [form.get('Action'), form.get('RoleArn')])).toEqual([
      ['AssumeRoleWithWebIdentity', ROLE],
      ['AssumeRole', other],
    ]);
  });

  it('is read anew when the keys are renewed before they expire', async () => {
    logins.lifetimeMs = 4_000;
    writeFileSync(join(folder, 'renewed'), WEB_TOKEN);
    const authorize = authorizer({}, { ...env(), AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'renewed') });
    const first = await signatureOf(authorize);
    writeFileSync(join(folder, 'renewed'), 'another token');
    await until(async () => {
      await signatureOf(authorize).catch(() => undefined);
      return logins.requests.length > 1;
    });
    expect(logins.requests.map(({ form }) => form.get('WebIdentityToken')).slice(0, 2)).toEqual([
      WEB_TOKEN,
      'another token',
    ]);
    writeFileSync(join(folder, 'renewed'), WEB_TOKEN);
    await until(async () => {
      const next = await signatureOf(authorize).catch(() => first);
      return typeof next === 'object' && typeof first === 'object' && next.accessKeyId !== first.accessKeyId;
    });
  });

  it('that STS refuses is the operator’s fault; the token and the account are not shown to the client', async () => {
    writeFileSync(join(folder, 'wrong'), 'wrong-token-canary');
    const error = await failureOf(authorizer({}, { ...env(), AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'wrong') }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error', retryable: true });
    expect(error.upstream).toMatchObject({ status: 403, code: 'InvalidIdentityToken' });
    expect(error.message).not.toMatch(/canary|InvalidIdentityToken/);
    expect(JSON.stringify([error.upstream, String(error.cause)])).not.toContain('canary');
    const missing = await failureOf(authorizer({}, { ...env(), AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'none') }));
    expect(missing.upstream?.message).toContain('cannot be read (ENOENT)');
  });

  it('survives faults that pass, and reports those that stay as 503 with an error of its own for each call', async () => {
    logins.disturb('/sts', { status: 503, body: 'busy' }, 'reset');
    expect(await signatureOf(authorizer({}, env()))).toEqual(issued);
    expect(logins.requests).toHaveLength(3);
    logins.disturb('/sts', { status: 500 }, { status: 500 }, { status: 500 });
    const authorize = authorizer({}, env());
    const [one, two] = await Promise.all([failureOf(authorize), failureOf(authorize)]);
    expect(one).toMatchObject({ status: 503, code: 'upstream_unavailable', retryable: true, isConnectionFault: true });
    expect(one).not.toBe(two);
    expect(logins.requests).toHaveLength(6);
    // The fault has passed; the failure is not remembered for long.
    await until(async () => (await signatureOf(authorize).catch(() => '')) !== '');
  });

  it.each([
    ['nothing', ''],
    ['JSON', '{"AccessKeyId":"A"}'],
    ['no secret', '<R><Credentials><AccessKeyId>A</AccessKeyId></Credentials></R>'],
    ['an unfinished document', '<R><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s'],
    [
      'a date that is none',
      '<R><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><Expiration>soon</Expiration></Credentials></R>',
    ],
    [
      'keys that have expired',
      '<R><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><Expiration>2020-01-01T00:00:00Z</Expiration></Credentials></R>',
    ],
  ])('that is answered with %s fails without it', async (_case, body) => {
    logins.disturb('/sts', { status: 200, body });
    expect(await failureOf(authorizer({}, env()))).toMatchObject({ code: 'upstream_unavailable' });
  });
});

describe('a container', () => {
  const url = (): string => `${logins.origin}${CONTAINER_PATH}`;

  it('serves keys, for the token of a file that is read each time or of a variable', async () => {
    const file = join(folder, 'container-token');
    writeFileSync(file, 'old');
    const authorize = authorizer(
      {},
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: url(), AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file },
    );
    const refused = await failureOf(authorize);
    expect(refused.upstream).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(refused.upstream?.message).not.toContain('old');
    writeFileSync(file, `${CONTAINER_TOKEN}\n`);
    await until(async () => (await signatureOf(authorize).catch(() => '')) !== '');
    const byVariable = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url(),
      AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN,
    };
    expect(await signatureOf(authorizer({}, byVariable))).toEqual(issued);
    // With such an endpoint the machine is not asked.
    expect(logins.requests.every(({ path }) => path === CONTAINER_PATH)).toBe(true);
  });

  it.each([
    ['http://169.254.170.2/v2/x', true],
    ['http://169.254.170.23/v1/credentials', true],
    ['http://[fd00:ec2::23]/v1/credentials', true],
    ['http://localhost:9000/x', true],
    ['https://example.com/x', true],
    ['http://example.com/x', false],
    ['http://169.254.170.2.example.com/x', false],
    ['ftp://127.0.0.1/x', false],
    ['not a url', false],
  ])('at %s may be asked: %s', (full, mayBeAsked) => {
    expect(connect({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: full }).faults).toHaveLength(mayBeAsked ? 0 : 1);
  });

  it('of ECS has a relative address at the address of the agent', () => {
    const { cloud } = connect({}, { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/uuid?x=1' });
    expect(cloud.aws?.environment.container?.url).toBe('http://169.254.170.2/v2/credentials/uuid?x=1');
  });
});

describe('a machine', () => {
  it('serves the keys of its role for a token of its metadata service', async () => {
    expect(await signatureOf(authorizer({}))).toEqual(issued);
    expect(logins.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      `GET ${INSTANCE_PATH}`,
    ]);
  });

  it('without a role says so, and one whose service is disturbed is asked again', async () => {
    logins.disturb('/latest/meta-data/iam/security-credentials/', { status: 404, body: '<html>' });
    const error = await failureOf(authorizer({}));
    expect(error.upstream?.message).toContain('has no IAM role');
    logins.disturb('/latest/api/token', { status: 500 }, 'reset');
    expect(await signatureOf(authorizer({}))).toEqual(issued);
  });

  it('whose service sends its last keys after they have expired goes on with them', async () => {
    logins.lifetimeMs = -60_000;
    expect(await signatureOf(authorizer({}))).toEqual(issued);
    logins.reset();
    logins.disturb(INSTANCE_PATH, { status: 200, body: '{"Code":"AssumeRoleUnauthorizedAccess"}' });
    expect((await failureOf(authorizer({}))).upstream).toMatchObject({ code: 'AssumeRoleUnauthorizedAccess' });
    logins.disturb(INSTANCE_PATH, { status: 200, body: '<html>' });
    expect(await failureOf(authorizer({}))).toMatchObject({ code: 'upstream_unavailable' });
  });
});

describe('a profile', () => {
  const write = (file: 'config' | 'credentials', text: string): void => {
    writeFileSync(join(folder, file), text);
  };
  const KEYS = 'aws_access_key_id = AKIALONGLIVED0000001\naws_secret_access_key = long/secret+1\n';
  const longLived = { accessKeyId: 'AKIALONGLIVED0000001', region: REGION, service: 'bedrock' };

  it('has keys in either file', async () => {
    write('credentials', `# comment\n[other]\n${KEYS}\n[mine]\r\naws_access_key_id=wrong\n`);
    write(
      'config',
      `[default]\nregion = x\n[profile other]\ns3 =\n  aws_access_key_id = nested\n[profile "by config"]\n${KEYS}`,
    );
    expect(await signatureOf(authorizer({ profile: 'other' }))).toEqual(longLived);
    expect(await signatureOf(authorizer({}, { AWS_PROFILE: 'by config' }))).toEqual(longLived);
    expect((await failureOf(authorizer({ profile: 'mine' }))).upstream?.message).toContain('aws_secret_access_key');
  });

  it('assumes a role with the keys of another profile, which may assume one itself', async () => {
    write('credentials', `[base]\n${KEYS}`);
    write(
      'config',
      `[profile first]\nrole_arn = ${ROLE}-1\nsource_profile = base\nexternal_id = ext 1\nduration_seconds = 900\n[profile second]\nrole_arn = ${ROLE}-2\nsource_profile = first\nrole_session_name = me\n[profile own]\nrole_arn = ${ROLE}-3\nsource_profile = own\n${KEYS}`,
    );
    expect(await signatureOf(authorizer({ profile: 'second' }))).toEqual(issued);
    expect(logins.requests.map(({ form }) => Object.fromEntries(form))).toMatchObject([
      {
        Action: 'AssumeRole',
        RoleArn: `${ROLE}-1`,
        ExternalId: 'ext 1',
        DurationSeconds: '900',
        RoleSessionName: 'llm-gateway',
      },
      { Action: 'AssumeRole', RoleArn: `${ROLE}-2`, RoleSessionName: 'me' },
    ]);
    expect(await signatureOf(authorizer({ profile: 'own' }))).toEqual(issued);
  });

  it('assumes a role with what the container, the machine, the environment or a token gives', async () => {
    const sourced = (source: string): string => `[profile p]\nrole_arn = ${ROLE}\n${source}\n`;
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${logins.origin}${CONTAINER_PATH}`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN,
      AWS_ACCESS_KEY_ID: 'AKIALONGLIVED0000001',
      AWS_SECRET_ACCESS_KEY: 'long/secret+1',
    };
    for (const source of ['Environment', 'EcsContainer', 'Ec2InstanceMetadata']) {
      write('config', sourced(`credential_source = ${source}`));
      expect(await signatureOf(authorizer({ profile: 'p' }, env))).toEqual(issued);
    }
    write('config', sourced(`web_identity_token_file = ${join(folder, 'token')}`));
    expect(await signatureOf(authorizer({ profile: 'p' }))).toEqual(issued);
  });

  it('may name a program', async () => {
    const script = join(folder, 'program.cjs');
    const print = (value: unknown): void => {
      writeFileSync(script, `process.stdout.write(${JSON.stringify(JSON.stringify(value))})`);
    };
    write('config', `[profile p]\ncredential_process = "${process.execPath}" "${script}"\n`);
    print({ Version: 1, AccessKeyId: 'AKIALONGLIVED0000001', SecretAccessKey: 'long/secret+1' });
    expect(await signatureOf(authorizer({ profile: 'p' }))).toEqual(longLived);
    print({ Version: 2, SecretAccessKey: 'canary' });
    expect((await failureOf(authorizer({ profile: 'p' }))).upstream?.message).toContain('another Version');
    writeFileSync(script, 'console.log("canary"); console.error("canary"); process.exit(3)');
    const failed = await failureOf(authorizer({ profile: 'p' }));
    expect(failed.upstream?.message).toContain('failed (3)');
    expect(JSON.stringify([failed.upstream, failed.message])).not.toContain('canary');
  });

  it.each([
    ['that does not exist', '', 'p does not exist'],
    ['without credentials', '[profile p]\nregion = x\n', 'or has no credentials'],
    ['with SSO', '[profile p]\nsso_session = s\n', 'export-credentials'],
    ['with MFA', `[profile p]\nrole_arn = ${ROLE}\nsource_profile = p\nmfa_serial = x\n`, 'mfa_serial'],
    ['with a role alone', `[profile p]\nrole_arn = ${ROLE}\n`, 'source_profile'],
    ['with a source that does not exist', `[profile p]\nrole_arn = ${ROLE}\nsource_profile = q\n`, 'q, which p names'],
    ['with an unknown source', `[profile p]\nrole_arn = ${ROLE}\ncredential_source = Moon\n`, 'Known are Environment'],
    [
      'with a source that is not there',
      `[profile p]\nrole_arn = ${ROLE}\ncredential_source = EcsContainer\n`,
      'there are none',
    ],
    [
      'in a circle',
      `[profile p]\nrole_arn = ${ROLE}\nsource_profile = q\n[profile q]\nrole_arn = ${ROLE}\nsource_profile = p\n`,
      'leads back to itself',
    ],
  ])('%s says what to fix', async (_case, config, words) => {
    write('config', config);
    const error = await failureOf(authorizer({ profile: 'p' }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(error.upstream?.message).toContain(words);
  });
});
