import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGatewayCommand } from '../clients/command.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';
import {
  CloudLogins,
  CONTAINER_PATH,
  CONTAINER_TOKEN,
  ENTRA_CLIENT,
  ENTRA_SECRET,
  ENTRA_TENANT,
  METADATA_PROJECT,
  WEB_TOKEN,
} from '../upstreams/cloud-logins.js';
import { CloudModels } from '../upstreams/cloud-models.js';

const TITAN = 'amazon.titan-embed-text-v2:0';
const KEY_ID = 'AKIALONGLIVED0000001';
const KEY_SECRET = 'long/secret+canary';

/** Requests that reach their providers through logins of clouds, in the built gateway. */
describe('logins of clouds', () => {
  let logins: CloudLogins;
  let models: CloudModels;
  let gateway: RunningGateway;
  let folder: string;
  let key: string;

  beforeAll(async () => {
    logins = await CloudLogins.start();
    models = await CloudModels.start(logins);
    folder = mkdtempSync(join(tmpdir(), 'logins-'));
    const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    logins.publicKeys.push(pair.publicKey);
    logins.awsKeys.set(KEY_ID, { secretAccessKey: KEY_SECRET });
    writeFileSync(join(folder, 'web-token'), WEB_TOKEN);
    writeFileSync(join(folder, 'container-token'), CONTAINER_TOKEN);
    writeFileSync(
      join(folder, 'config'),
      '[profile named]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n',
    );
    writeFileSync(
      join(folder, 'credentials'),
      `[base]\naws_access_key_id = ${KEY_ID}\naws_secret_access_key = ${KEY_SECRET}\n`,
    );
    writeFileSync(
      join(folder, 'account.json'),
      JSON.stringify({
        type: 'service_account',
        project_id: 'account-project',
        client_email: 'gateway@account-project.iam.gserviceaccount.com',
        private_key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        token_uri: `${logins.origin}/google/token`,
      }),
    );
    const bedrock = `type: bedrock, region: eu-west-1, base_url: "${models.origin}/bedrock"`;
    const azure = `type: azure, base_url: "${models.origin}/azure"`;
    const vertex = `type: vertex, region: europe-west4, base_url: "${models.origin}/vertex"`;
    gateway = await startGateway({
      env: {
        LOG_LEVEL: 'trace',
        AWS_CONFIG_FILE: join(folder, 'config'),
        AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
        AWS_ENDPOINT_URL_STS: `${logins.origin}/sts`,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${logins.origin}${CONTAINER_PATH}`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'container-token'),
        CLOUDSDK_CONFIG: folder,
        GCE_METADATA_HOST: new URL(logins.origin).host,
        AZURE_AUTHORITY_HOST: logins.origin,
        AZURE_POD_IDENTITY_AUTHORITY_HOST: logins.origin,
      },
      config: `providers:
  bedrock-web: { ${bedrock}, role_arn: "arn:aws:iam::123456789012:role/web", web_identity_token_file: "${folder}/web-token" }
  bedrock-profile: { ${bedrock}, profile: named }
  bedrock-container: { ${bedrock} }
  bedrock-refused: { ${bedrock}, role_arn: "arn:aws:iam::123456789012:role/web", web_identity_token_file: "${folder}/config" }
  azure-secret: { ${azure}, tenant_id: ${ENTRA_TENANT}, client_id: ${ENTRA_CLIENT}, client_secret: ${ENTRA_SECRET} }
  azure-managed: { ${azure}, managed_identity: system }
  azure-plain: { ${azure}, tenant_id: ${ENTRA_TENANT}, client_id: ${ENTRA_CLIENT}, client_secret: ${ENTRA_SECRET} }
  azure-streamed: { ${azure}, tenant_id: ${ENTRA_TENANT}, client_id: ${ENTRA_CLIENT}, client_secret: ${ENTRA_SECRET} }
  azure-wrong: { ${azure}, tenant_id: ${ENTRA_TENANT}, client_id: ${ENTRA_CLIENT}, client_secret: wrong-secret-canary }
  vertex-machine: { ${vertex} }
  vertex-file: { ${vertex}, credentials_file: "${folder}/account.json" }
models:
  - id: either
    strategy: priority
    deployments: [{ provider: bedrock-refused, model: "${TITAN}" }, { provider: azure-managed, model: m }]
`,
    });
    key = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
    models.stop();
    logins.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    logins.reset();
    models.admitted.length = 0;
  });

  async function embed(model: string): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
    const response = await fetch(`${gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, input: 'a' }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text) as Record<string, unknown>, text };
  }

  it.each([
    [`bedrock-web/${TITAN}`, ['/sts'], /^\/bedrock\/model\/amazon/],
    [`bedrock-profile/${TITAN}`, ['/sts'], /^\/bedrock\/model\/amazon/],
    [`bedrock-container/${TITAN}`, [CONTAINER_PATH], /^\/bedrock\/model\/amazon/],
    ['azure-secret/m', [`/${ENTRA_TENANT}/oauth2/v2.0/token`], /^\/azure\/v1\/embeddings$/],
    ['azure-managed/m', ['/metadata/identity/oauth2/token'], /^\/azure\/v1\/embeddings$/],
    [
      'vertex-machine/text-embedding-005',
      ['/computeMetadata/v1/project/project-id', '/computeMetadata/v1/instance/service-accounts/default/token'],
      new RegExp(`^/vertex/v1/projects/${METADATA_PROJECT}/locations/europe-west4/publishers/google/models/`),
    ],
    ['vertex-file/text-embedding-005', ['/google/token'], /^\/vertex\/v1\/projects\/account-project\/locations\//],
  ])('%s: one login serves calls that come together, and the provider lets them in', async (model, paths, path) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => embed(model)));
    expect(all.map(({ status, text }) => [status, status === 200 ? '' : text])).toEqual(all.map(() => [200, '']));
    expect(logins.requests.map((request) => request.path)).toEqual(paths);
    expect(models.admitted).toHaveLength(8);
    for (const { path: asked, signature } of models.admitted) {
      expect(asked).toMatch(path);
      if (model.startsWith('bedrock')) expect(signature).toMatchObject({ region: 'eu-west-1', service: 'bedrock' });
    }
  });

  it('a login that was revoked before it expired is replaced within the request', async () => {
    expect((await embed('azure-secret/m')).status).toBe(200);
    expect((await embed(`bedrock-web/${TITAN}`)).status).toBe(200);
    logins.reset();
    logins.tokens.clear();
    for (const id of logins.awsKeys.keys()) if (id !== KEY_ID) logins.awsKeys.delete(id);
    const all = await Promise.all([embed('azure-secret/m'), embed('azure-secret/m'), embed(`bedrock-web/${TITAN}`)]);
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(logins.requests).toHaveLength(2);
  });

  it('a provider that quotes the credentials of a request does not give them to the client', async () => {
    const bedrock = await embed(`bedrock-web/${TITAN}-quote`);
    const azure = await embed('azure-secret/quote');
    for (const { status, text } of [bedrock, azure]) {
      expect(status).toBe(400);
      expect(text).toContain('bad request: ');
      expect(text).not.toMatch(/issued|ASIA|Signature=[0-9a-f]{64}/);
    }
  });

  it('a login that is refused says so to the operator, not to the client, and another deployment serves the model', async () => {
    const wrong = await embed('azure-wrong/m');
    expect(wrong).toMatchObject({ status: 502, body: { error: { code: 'upstream_error' } } });
    expect(wrong.text).not.toMatch(/AADSTS|canary|127\.0\.0\.1/);
    await until(() => gateway.logs().includes('AADSTS7000215'));
    expect((await embed('either')).status).toBe(200);
    expect(models.admitted.at(-1)?.path).toBe('/azure/v1/embeddings');
  });

  it('the doctor says which logins work, and why others do not', async () => {
    const entry = `type: azure, base_url: "${models.origin}/azure", tenant_id: ${ENTRA_TENANT}, client_id: ${ENTRA_CLIENT}`;
    writeFileSync(
      join(folder, 'gateway.yaml'),
      `providers:\n  right: { ${entry}, client_secret: ${ENTRA_SECRET} }\n  wrong: { ${entry}, client_secret: wrong-secret-canary }\n  keyed: { type: azure, base_url: "${models.origin}/azure", api_key: k }\n`,
    );
    const env = { PORT: '0', AZURE_AUTHORITY_HOST: logins.origin };
    const { stdout, code } = await runGatewayCommand(['doctor'], { cwd: folder, env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {4}provider right: the login works$/m);
    expect(stdout).toMatch(/^warn {2}provider wrong: the login does not work\. .*AADSTS7000215/m);
    expect(stdout).not.toMatch(/provider keyed: the login|canary/);
  });

  it.each([false, true])('a login that was revoked is replaced within a chat request, streamed: %s', async (stream) => {
    const name = stream ? 'streamed' : 'plain';
    const chat = async (model: string): Promise<{ status: number; text: string }> => {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] }),
      });
      return { status: response.status, text: await response.text() };
    };
    expect(await chat(`azure-${name}/m`)).toMatchObject({
      status: 200,
      text: expect.stringContaining('let in') as string,
    });
    logins.reset();
    logins.tokens.clear();
    const all = await Promise.all([chat(`azure-${name}/m`), chat(`azure-${name}/m`)]);
    expect(all.map(({ status }) => status)).toEqual([200, 200]);
    for (const { text } of all) expect(text).toContain('let in');
    expect(logins.requests).toHaveLength(1);
    const quoted = await chat(`azure-${name}/quote`);
    expect([quoted.status, quoted.text]).toEqual([400, expect.stringContaining('bad request: ')]);
    expect(quoted.text).not.toMatch(/issued/);
  });

  it('no secret is in the log', async () => {
    const { code } = await gateway.stop();
    expect(code).toBe(0);
    const log = gateway.logs();
    for (const secret of [
      'canary',
      ENTRA_SECRET,
      WEB_TOKEN,
      CONTAINER_TOKEN,
      'issued/',
      'issued-access-token',
      'PRIVATE KEY',
    ]) {
      expect(log.split('\n').filter((line) => line.includes(secret))).toEqual([]);
    }
  });
});
