import { writeFileSync } from 'node:fs';
import { AwsScene, failureOf, REGION, ROLE } from '../../../../test/fixtures/aws-scene.js';
import { type CloudLogins, CONTAINER_PATH, CONTAINER_TOKEN } from '../../../../test/upstreams/cloud-logins.js';

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

describe('a profile', () => {
  const KEYS = 'aws_access_key_id = AKIALONGLIVED0000001\naws_secret_access_key = long/secret+1\n';
  const longLived = { accessKeyId: 'AKIALONGLIVED0000001', region: REGION, service: 'bedrock' };

  it('has keys in either file', async () => {
    scene.write('credentials', `# comment\n[other]\n${KEYS}\n[mine]\r\naws_access_key_id=wrong\n`);
    scene.write(
      'config',
      `[default]\nregion = x\n[profile other]\ns3 =\n  aws_access_key_id = nested\n[profile "by config"]\n${KEYS}`,
    );
    expect(await scene.signatureOf(scene.authorizer({ profile: 'other' }))).toEqual(longLived);
    expect(await scene.signatureOf(scene.authorizer({}, { AWS_PROFILE: 'by config' }))).toEqual(longLived);
    expect((await failureOf(scene.authorizer({ profile: 'mine' }))).upstream?.message).toContain(
      'aws_secret_access_key',
    );
  });

  it('assumes a role with the keys of another profile, which may assume one itself', async () => {
    scene.write('credentials', `[base]\n${KEYS}`);
    scene.write(
      'config',
      `[profile first]\nrole_arn = ${ROLE}-1\nsource_profile = base\nexternal_id = ext 1\nduration_seconds = 900\n[profile second]\nrole_arn = ${ROLE}-2\nsource_profile = first\nrole_session_name = me\n[profile own]\nrole_arn = ${ROLE}-3\nsource_profile = own\n${KEYS}`,
    );
    expect(await scene.signatureOf(scene.authorizer({ profile: 'second' }))).toEqual(issued);
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
    expect(await scene.signatureOf(scene.authorizer({ profile: 'own' }))).toEqual(issued);
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
      scene.write('config', sourced(`credential_source = ${source}`));
      expect(await scene.signatureOf(scene.authorizer({ profile: 'p' }, env))).toEqual(issued);
    }
    scene.write('config', sourced(`web_identity_token_file = ${scene.path('token')}`));
    expect(await scene.signatureOf(scene.authorizer({ profile: 'p' }))).toEqual(issued);
  });

  it('may name a program', async () => {
    const script = scene.path('program.cjs');
    const print = (value: unknown): void => {
      writeFileSync(script, `process.stdout.write(${JSON.stringify(JSON.stringify(value))})`);
    };
    scene.write('config', `[profile p]\ncredential_process = "${process.execPath}" "${script}"\n`);
    print({ Version: 1, AccessKeyId: 'AKIALONGLIVED0000001', SecretAccessKey: 'long/secret+1' });
    expect(await scene.signatureOf(scene.authorizer({ profile: 'p' }))).toEqual(longLived);
    print({ Version: 2, SecretAccessKey: 'canary' });
    expect((await failureOf(scene.authorizer({ profile: 'p' }))).upstream?.message).toContain('another Version');
    writeFileSync(script, 'console.log("canary"); console.error("canary"); process.exit(3)');
    const failed = await failureOf(scene.authorizer({ profile: 'p' }));
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
    scene.write('config', config);
    const error = await failureOf(scene.authorizer({ profile: 'p' }));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(error.upstream?.message).toContain(words);
  });
});
