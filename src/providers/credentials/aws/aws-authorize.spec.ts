import { writeFileSync } from 'node:fs';
import {
  AwsScene,
  type Entry,
  failureOf,
  LONG_LIVED,
  REGION,
  REQUEST,
  ROLE,
} from '../../../../test/fixtures/aws-scene.js';
import { until } from '../../../../test/fixtures/until.js';
import { type CloudLogins, CONTAINER_PATH, WEB_TOKEN } from '../../../../test/upstreams/cloud-logins.js';
import { authorizerOf } from '../authorize.js';

let scene: AwsScene;
let logins: CloudLogins;

beforeAll(async () => {
  scene = await AwsScene.start();
  ({ logins } = scene);
});
afterAll(() => {
  scene.stop();
});
beforeEach(() => {
  scene.reset();
});

const issued = { accessKeyId: expect.stringMatching(/^ASIAISSUEDKEY/) as string, region: REGION, service: 'bedrock' };

describe('access keys', () => {
  it.each([
    ['of the entry', LONG_LIVED, {}],
    ['of the environment', {}, { AWS_ACCESS_KEY_ID: 'AKIALONGLIVED0000001', AWS_SECRET_ACCESS_KEY: 'long/secret+1' }],
  ])('%s sign as AWS checks it, for any region, and with no login', async (_case, entry, env) => {
    for (const region of ['eu-west-1', 'us-gov-west-1', 'cn-north-1']) {
      const authorize = scene.authorizer({ ...entry, region }, env);
      for (const request of [REQUEST, { ...REQUEST, method: 'GET', body: undefined }]) {
        expect(await scene.signatureOf(authorize, request)).toEqual({
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
    expect(await scene.signatureOf(scene.authorizer(temporary, { AWS_SESSION_TOKEN: 'another' }))).toMatchObject({
      accessKeyId: 'ASIATEMPORARY0000001',
    });
    expect(await scene.signatureOf(scene.authorizer(LONG_LIVED, { AWS_SESSION_TOKEN: 'another' }))).toMatchObject({
      region: REGION,
    });
  });

  it('that are incomplete, or stand beside another login, are faults of the configuration', () => {
    const keysOf = (entry: Entry, env = {}): string[] => scene.connect(entry, env).faults.map(({ key }) => key);
    expect(keysOf({ access_key_id: 'A' })).toEqual(['api_key']);
    expect(keysOf({}, { AWS_SECRET_ACCESS_KEY: 's' })).toEqual(['api_key']);
    expect(keysOf({ ...LONG_LIVED, profile: 'a' })).toEqual(['profile']);
    expect(keysOf({ profile: 'a', web_identity_token_file: '/t' })).toEqual(['web_identity_token_file']);
    expect(keysOf({ web_identity_token_file: '/t' })).toEqual(['role_arn']);
    expect(keysOf({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://10.0.0.1/c' })).toEqual(['api_key']);
    expect(keysOf({}, { AWS_ENDPOINT_URL_STS: 'http://sts.example' })).toEqual(['region']);
  });

  it('that cannot be found fail at the request, as the operator’s fault', async () => {
    const error = await failureOf(scene.authorizer({}, { AWS_EC2_METADATA_DISABLED: 'true' }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(error.upstream?.message).toContain('no AWS credentials');
    const incomplete = authorizerOf('aws', { apiKey: undefined, cloud: { region: REGION, accessKeyId: 'A' } });
    expect(await failureOf(incomplete)).toMatchObject({ status: 502, code: 'upstream_error' });
  });

  it('have the order of AWS’s own tools', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKIALONGLIVED0000001', AWS_SECRET_ACCESS_KEY: 'long/secret+1' };
    const sources = (entry: Entry, all: Record<string, string>): string[] =>
      scene.connect(entry, all).cloud.aws?.sources.map(({ kind }) => kind) ?? [];
    const token = { AWS_WEB_IDENTITY_TOKEN_FILE: scene.path('token'), AWS_ROLE_ARN: ROLE };
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
      scene.path('credentials'),
      '[default]\naws_access_key_id = AKIALONGLIVED0000001\naws_secret_access_key = long/secret+1\n',
    );
    expect(await scene.signatureOf(scene.authorizer({}))).toMatchObject({ accessKeyId: 'AKIALONGLIVED0000001' });
    expect(logins.requests).toEqual([]);
  });
});

describe('a web identity', () => {
  const env = (): Record<string, string> => ({
    AWS_WEB_IDENTITY_TOKEN_FILE: scene.path('token'),
    AWS_ROLE_ARN: ROLE,
    AWS_ROLE_SESSION_NAME: 'pod-1',
  });

  it('becomes keys of its role, once for calls that come together, without other credentials', async () => {
    const authorize = scene.authorizer({}, env());
    const found = await Promise.all(Array.from({ length: 20 }, () => scene.signatureOf(authorize)));
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
    const token = { web_identity_token_file: scene.path('token'), role_arn: ROLE };
    expect(await scene.signatureOf(scene.authorizer(token))).toEqual(issued);
    expect(logins.requests.map(({ form }) => form.get('Action'))).toEqual(['AssumeRoleWithWebIdentity']);
    logins.reset();
    const other = 'arn:aws:iam::210987654321:role/other-account';
    expect(await scene.signatureOf(scene.authorizer({ role_arn: other }, env()))).toEqual(issued);
    expect(logins.requests.map(({ form }) => [form.get('Action'), form.get('RoleArn')])).toEqual([
      ['AssumeRoleWithWebIdentity', ROLE],
      ['AssumeRole', other],
    ]);
  });

  it('is read anew when the keys are renewed before they expire', async () => {
    logins.lifetimeMs = 4_000;
    scene.write('renewed', WEB_TOKEN);
    const authorize = scene.authorizer({}, { ...env(), AWS_WEB_IDENTITY_TOKEN_FILE: scene.path('renewed') });
    const first = await scene.signatureOf(authorize);
    scene.write('renewed', 'another token');
    await until(async () => {
      await scene.signatureOf(authorize).catch(() => undefined);
      return logins.requests.length > 1;
    });
    expect(logins.requests.map(({ form }) => form.get('WebIdentityToken')).slice(0, 2)).toEqual([
      WEB_TOKEN,
      'another token',
    ]);
    scene.write('renewed', WEB_TOKEN);
    await until(async () => {
      const next = await scene.signatureOf(authorize).catch(() => first);
      return typeof next === 'object' && typeof first === 'object' && next.accessKeyId !== first.accessKeyId;
    });
  });

  it('that STS refuses is the operator’s fault; the token and the account are not shown to the client', async () => {
    scene.write('wrong', 'wrong-token-canary');
    const error = await failureOf(scene.authorizer({}, { ...env(), AWS_WEB_IDENTITY_TOKEN_FILE: scene.path('wrong') }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error', retryable: true });
    expect(error.upstream).toMatchObject({ status: 403, code: 'InvalidIdentityToken' });
    expect(error.message).not.toMatch(/canary|InvalidIdentityToken/);
    expect(JSON.stringify([error.upstream, String(error.cause)])).not.toContain('canary');
    const missing = await failureOf(
      scene.authorizer({}, { ...env(), AWS_WEB_IDENTITY_TOKEN_FILE: scene.path('none') }),
    );
    expect(missing.upstream?.message).toContain('cannot be read (ENOENT)');
  });

  it('survives faults that pass, and reports those that stay as 503 with an error of its own for each call', async () => {
    logins.disturb('/sts', { status: 503, body: 'busy' }, 'reset');
    expect(await scene.signatureOf(scene.authorizer({}, env()))).toEqual(issued);
    expect(logins.requests).toHaveLength(3);
    logins.disturb('/sts', { status: 500 }, { status: 500 }, { status: 500 });
    const authorize = scene.authorizer({}, env());
    const [one, two] = await Promise.all([failureOf(authorize), failureOf(authorize)]);
    expect(one).toMatchObject({ status: 503, code: 'upstream_unavailable', retryable: true, isConnectionFault: true });
    expect(one).not.toBe(two);
    expect(logins.requests).toHaveLength(6);
    // The fault has passed; the failure is not remembered for long.
    await until(async () => (await scene.signatureOf(authorize).catch(() => '')) !== '');
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
    expect(await failureOf(scene.authorizer({}, env()))).toMatchObject({ code: 'upstream_unavailable' });
  });
});
