import { writeFileSync } from 'node:fs';
import { AwsScene, failureOf, REGION } from '../../../../test/fixtures/aws-scene.js';
import { until } from '../../../../test/fixtures/until.js';
import {
  type CloudLogins,
  CONTAINER_PATH,
  CONTAINER_TOKEN,
  INSTANCE_ROLE,
} from '../../../../test/upstreams/cloud-logins.js';

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

const INSTANCE_PATH = `/latest/meta-data/iam/security-credentials/${encodeURIComponent(INSTANCE_ROLE)}`;
const issued = { accessKeyId: expect.stringMatching(/^ASIAISSUEDKEY/) as string, region: REGION, service: 'bedrock' };

describe('a container', () => {
  const url = (): string => `${logins.origin}${CONTAINER_PATH}`;

  it('serves keys, for the token of a file that is read each time or of a variable', async () => {
    const file = scene.path('container-token');
    writeFileSync(file, 'old');
    const authorize = scene.authorizer(
      {},
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: url(), AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file },
    );
    const refused = await failureOf(authorize);
    expect(refused.upstream).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(refused.upstream?.message).not.toContain('old');
    writeFileSync(file, `${CONTAINER_TOKEN}\n`);
    await until(async () => (await scene.signatureOf(authorize).catch(() => '')) !== '');
    const byVariable = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url(),
      AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN,
    };
    expect(await scene.signatureOf(scene.authorizer({}, byVariable))).toEqual(issued);
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
    expect(scene.connect({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: full }).faults).toHaveLength(mayBeAsked ? 0 : 1);
  });

  it('of ECS has a relative address at the address of the agent', () => {
    const { cloud } = scene.connect({}, { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/uuid?x=1' });
    expect(cloud.aws?.environment.container?.url).toBe('http://169.254.170.2/v2/credentials/uuid?x=1');
  });
});

describe('a machine', () => {
  it('serves the keys of its role for a token of its metadata service', async () => {
    expect(await scene.signatureOf(scene.authorizer({}))).toEqual(issued);
    expect(logins.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      `GET ${INSTANCE_PATH}`,
    ]);
  });

  it('without a role says so, and one whose service is disturbed is asked again', async () => {
    logins.disturb('/latest/meta-data/iam/security-credentials/', { status: 404, body: '<html>' });
    const error = await failureOf(scene.authorizer({}));
    expect(error.upstream?.message).toContain('has no IAM role');
    logins.disturb('/latest/api/token', { status: 500 }, 'reset');
    expect(await scene.signatureOf(scene.authorizer({}))).toEqual(issued);
  });

  it('whose service sends its last keys after they have expired goes on with them', async () => {
    logins.lifetimeMs = -60_000;
    expect(await scene.signatureOf(scene.authorizer({}))).toEqual(issued);
    logins.reset();
    logins.disturb(INSTANCE_PATH, { status: 200, body: '{"Code":"AssumeRoleUnauthorizedAccess"}' });
    expect((await failureOf(scene.authorizer({}))).upstream).toMatchObject({ code: 'AssumeRoleUnauthorizedAccess' });
    logins.disturb(INSTANCE_PATH, { status: 200, body: '<html>' });
    expect(await failureOf(scene.authorizer({}))).toMatchObject({ code: 'upstream_unavailable' });
  });
});
