import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { KnownProviderListDto } from '../../src/admin/providers/known-providers.dto.js';
import type { ProviderTestDto } from '../../src/admin/providers/providers.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { queryDatabase } from '../fixtures/query-database.js';

const GOOD_KEY = 'sk-the-good-key-of-an-operator';
const BAD_KEY = 'sk-the-bad-key-of-an-operator';

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Takes one key; lists two models, and has one that responds. */
function answerOf({ method, url, headers }: IncomingMessage): Answer {
  if (headers.authorization !== `Bearer ${GOOD_KEY}`) {
    const message = `Incorrect API key provided: ${headers.authorization ?? ''}`;
    return { status: 401, body: { error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } } };
  }
  if (method === 'GET' && url === '/v1/models') {
    return { status: 200, body: { object: 'list', data: [{ id: 'small' }, { id: 'large' }] } };
  }
  const choices = [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
  return { status: 200, body: { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', choices, usage } };
}

describe('keys of providers that are not set up yet', () => {
  let provider: Server;
  let asked: string[] = [];
  let gateway: RunningGateway;

  beforeAll(async () => {
    provider = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.resume().on('end', () => {
        const { status, body } = answerOf(request);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    // OpenRouter is set up; a test of a key must not depend on that.
    gateway = await startGateway({
      config: { sandbox: true },
      env: { OPENAI_BASE_URL: url, OPENROUTER_API_KEY: 'sk-or-configured', LOG_LEVEL: 'debug' },
    });
  });
  beforeEach(() => (asked = []));
  afterAll(async () => {
    await gateway.stop();
    provider.close();
  });

  const test = (name: string, body: object): Promise<GatewayResponse<ProviderTestDto>> =>
    gateway.admin.post(`/v1/admin/known-providers/${name}/test`, body);

  it('are of providers that need nothing else', async () => {
    const { data } = await gateway.admin.read<KnownProviderListDto>('/v1/admin/known-providers');
    expect(data.find(({ name }) => name === 'openai')).toEqual({
      name: 'openai',
      object: 'known_provider',
      title: 'OpenAI',
      key_variable: 'OPENAI_API_KEY',
      documentation: 'https://platform.openai.com/docs/api-reference',
      is_set_up: false,
      test_needs_model: false,
    });
    expect(data.find(({ name }) => name === 'openrouter')).toMatchObject({ is_set_up: true, test_needs_model: true });
    expect(data.map(({ name }) => name)).not.toContain('bedrock');
    expect(new Set(data.map(({ key_variable: variable }) => variable)).size).toBe(data.length);
  });

  it('are tested by the list of models, or by a response of one model', async () => {
    const listed = await test('openai', { api_key: GOOD_KEY });
    expect(listed).toMatchObject({
      status: 200,
      body: { object: 'provider_test', provider: 'openai', checked: 'models', ok: true, model_count: 2, error: null },
    });
    const called = await test('openai', { api_key: GOOD_KEY, model: 'small' });
    expect(called.body).toMatchObject({ checked: 'chat', ok: true, model_count: null, error: null });
    expect(asked).toEqual(['GET /v1/models', expect.stringMatching(/^POST \/v1\/(?:responses|chat\/completions)$/)]);
  });

  it.each([{}, { model: 'small' }])('that are wrong are refused, with %j, without being shown', async (fields) => {
    const { status, body } = await test('openai', { api_key: BAD_KEY, ...fields });
    expect(status).toBe(200);
    const words = /^The provider refused the credentials \(HTTP 401\)\. It responded: Incorrect API key/;
    expect(body).toMatchObject({
      ok: false,
      model_count: null,
      error: { message: expect.stringMatching(words) as string },
    });
    expect(JSON.stringify(body)).not.toContain(BAD_KEY);
    expect(asked).toHaveLength(1);
  });

  it('are neither stored nor logged', async () => {
    await test('openai', { api_key: GOOD_KEY });
    await test('openai', { api_key: BAD_KEY, model: 'small' });
    const { text } = await gateway.admin.get('/v1/admin/audit?action=provider.key_tested');
    expect(text).toContain('"openai"');
    const entries = await queryDatabase(gateway.databaseUrl, 'SELECT * FROM audit_entry');
    for (const found of [text, JSON.stringify(entries), gateway.logs()]) {
      expect(found).not.toContain(GOOD_KEY);
      expect(found).not.toContain(BAD_KEY);
    }
    // A test is no request of a client.
    expect(await queryDatabase(gateway.databaseUrl, 'SELECT * FROM usage_record')).toEqual([]);
  });

  it.each([
    ['an unknown provider', 'nowhere', { api_key: GOOD_KEY }, 404, 'name'],
    ['a provider that needs more than a key', 'bedrock', { api_key: GOOD_KEY }, 404, 'name'],
    ['no key', 'openai', {}, 400, 'api_key'],
    ['a key with a line break', 'openai', { api_key: 'sk-\nx-other: header' }, 400, 'api_key'],
    ['a key that no header can carry', 'openai', { api_key: 'sk-ключ' }, 400, 'api_key'],
    ['an address', 'openai', { api_key: GOOD_KEY, base_url: 'http://127.0.0.1:1' }, 400, 'base_url'],
    ['a list of models that anyone may read', 'openrouter', { api_key: GOOD_KEY }, 400, 'model'],
    ['a provider without a list of models', 'perplexity', { api_key: GOOD_KEY }, 400, 'model'],
  ])('are not sent anywhere with %s', async (_case, name, body, status, param) => {
    const refused = await test(name, body);
    expect(refused.status).toBe(status);
    expect(refused.body).toMatchObject({ error: { param } });
    expect(asked).toEqual([]);
  });

  it('are tested by administrators alone', async () => {
    const client = await gateway.newClient();
    expect((await client.get('/v1/admin/known-providers')).status).toBe(403);
    const path = '/v1/admin/known-providers/openai/test';
    expect((await client.post(path, { api_key: GOOD_KEY })).status).toBe(403);
    expect(asked).toEqual([]);
  });
});
