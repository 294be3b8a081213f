import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model } from '../fixtures/gateway-config.js';
import { noteFolder } from '../fixtures/started-processes.mjs';
import { until } from '../fixtures/until.js';
import { startOtlpCollector, type OtlpCollector } from '../upstreams/otlp-collector.js';
import { startScriptedUpstream, type ScriptedUpstream } from '../upstreams/scripted-upstream.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const CLIENT = 3;

/** The one file that a provider needs, as it is in the built application. */
function definitionOf(baseUrl: string): string {
  return `export const definition = {
  name: 'acme',
  title: 'Acme',
  documentation: 'https://acme.example/docs',
  keyVariable: 'ACME_API_KEY',
  baseUrl: '${baseUrl}',
  priceId: 'openai',
  catalogueId: 'openai',
  telemetryName: 'acme.ai',
  credentials: 'bearer',
  compatible: {
    quirks: { tokenLimit: 'max_tokens', developerRole: false },
    fields: { refusedFields: new Set(['store', 'logit_bias']), renamed: { seed: 'acme_seed' }, takesFunctions: false },
  },
};
`;
}

describe('a provider that is added as one file', () => {
  let folder: string;
  let upstream: ScriptedUpstream;
  let collector: OtlpCollector;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    collector = await startOtlpCollector();
    folder = mkdtempSync(join(tmpdir(), 'gateway-new-provider-'));
    noteFolder(folder);
    cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'dist/src/providers/definitions/acme.js'), definitionOf(`${upstream.url}/v1`));
    gateway = await startGateway({
      entry: join(folder, 'dist/main.js'),
      env: {
        ACME_API_KEY: 'acme-key',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
      },
      config: {
        providers: {
          'behind-a-proxy': { base_url: `${upstream.url}/proxy/v1`, api_key: 'k', quirks: { accepts: 'acme' } },
        },
        models: [model('fast', 'acme/gpt-4o-mini')],
      },
    });
    key = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
    await collector.stop();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const chat = (fields: object): Promise<GatewayResponse<object>> =>
    gateway.client(key).chat({ messages: [{ role: 'developer', content: 'Hi' }], ...fields });

  function respond(): void {
    upstream.respondWith({
      body: {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1_700_000_000,
        model: 'gpt-4o-mini',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
      },
    });
  }

  it('is switched on by its variable, called with its quirks, priced and named in spans', async () => {
    respond();
    collector.spans.length = 0;
    const response = await chat({ model: 'fast', max_completion_tokens: 5, seed: 7, logit_bias: { 1: 1 } });
    expect(response.status).toBe(200);
    expect(response.header('x-gateway-provider')).toBe('acme');
    expect(response.header('x-gateway-dropped-params')).toBe('logit_bias');
    expect(JSON.parse(upstream.received.at(-1) ?? '{}')).toEqual({
      model: 'gpt-4o-mini',
      messages: [{ role: 'system', content: 'Hi' }],
      max_tokens: 5,
      acme_seed: 7,
      stream: false,
    });
    await until(() => collector.spans.some(({ kind }) => kind === CLIENT));
    const span = collector.spans.find(({ kind }) => kind === CLIENT);
    expect(span?.attributes).toMatchObject({
      'gen_ai.provider.name': 'acme.ai',
      'gen_ai.request.model': 'gpt-4o-mini',
      'gateway.provider': 'acme',
    });
    // 1,000 tokens at $0.15 and 100 at $0.60 a million, as the catalogue has them for the definition's price id.
    const record = await gateway.admin.usageRecord(({ provider }) => provider === 'acme');
    expect(record.cost_usd).toBeCloseTo(0.00021, 9);
  });

  it('is reached as provider/model, and lends its rules to an entry of another name', async () => {
    respond();
    expect((await chat({ model: 'acme/gpt-4o-mini' })).status).toBe(200);
    const response = await chat({ model: 'behind-a-proxy/anything', store: true });
    expect(response.status).toBe(200);
    expect(response.header('x-gateway-dropped-params')).toBe('store');
  });

  it('is part of the JSON Schema and of the errors of the configuration', async () => {
    const { GATEWAY_SCHEMA } = (await import(join(folder, 'dist/src/config/gateway-schema.js'))) as {
      GATEWAY_SCHEMA: object;
    };
    expect(JSON.stringify(GATEWAY_SCHEMA)).toContain('"enum":["any","acme",');
  });
});
