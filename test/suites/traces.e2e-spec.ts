import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { ChatCompletionDto } from '../../src/chat/chat-completion.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { model, openAiAt, type GatewayFile } from '../fixtures/gateway-config.js';
import { startGateway, startExpectingFailure, type RunningGateway } from '../fixtures/gateway.js';
import { startOtlpCollector, type CollectedSpan, type OtlpCollector } from '../upstreams/otlp-collector.js';
import { until } from '../fixtures/until.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';
const SERVER = 2;
const CLIENT = 3;
const CONSUMER = 5;
const ERROR = 2;
const PROMPT = 'prompt-5f1c';

describe('traces', () => {
  let upstream: FakeUpstream;
  let collector: OtlpCollector;
  let gateway: RunningGateway;
  let client: GatewayClient;

  const config = (): GatewayFile => ({
    providers: { openai: openAiAt(upstream, { api_key: 'sk-test' }) },
    models: [
      model('fast', 'openai/echo'),
      model('shaky', ['openai/status-500', 'openai/echo'], { strategy: 'priority' }),
    ],
  });
  const variables = (): Record<string, string> => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-team=blue%20one',
    OTEL_SERVICE_NAME: 'edge',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    collector = await startOtlpCollector();
    gateway = await startGateway({ env: variables(), config: config() });
    client = await gateway.newClient();
    // The span of making the key.
    await until(() => collector.spans.length >= 1);
  });
  beforeEach(async () => {
    collector.spans.length = 0;
    await upstream.reset();
  });
  afterAll(async () => {
    await gateway.stop();
    await collector.stop();
    await upstream.stop();
  });

  const chat = (
    fields: object = {},
    headers: Record<string, string> = {},
    by = client,
  ): Promise<GatewayResponse<ChatCompletionDto>> =>
    by.chat({ model: 'fast', messages: [{ role: 'user', content: PROMPT }], ...fields }, { headers });

  async function collected(count: number): Promise<CollectedSpan[]> {
    await until(() => collector.spans.length >= count);
    return collector.spans;
  }

  it('join the client’s trace, name each call by the GenAI conventions, and go on to the provider', async () => {
    const response = await chat(
      { temperature: 0.5, max_tokens: 20, user: PROMPT },
      { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01`, tracestate: 'vendor=1' },
    );
    const spans = await collected(2);
    const server = spans.find(({ kind }) => kind === SERVER)!;
    const call = spans.find(({ kind }) => kind === CLIENT)!;
    expect(server).toMatchObject({
      name: 'POST /v1/chat/completions',
      traceId: TRACE,
      parentSpanId: CLIENT_SPAN,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/chat/completions',
        'http.response.status_code': 200,
        'gateway.request_id': response.header('x-request-id'),
        'gateway.attempts': 1,
      },
      resource: { 'service.name': 'edge', 'deployment.environment.name': 'test' },
    });
    expect(call).toMatchObject({
      name: 'chat echo',
      traceId: TRACE,
      parentSpanId: server.spanId,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'echo',
        'gen_ai.request.temperature': 0.5,
        'gen_ai.request.max_tokens': 20,
        'gen_ai.response.model': 'fake-model-2026',
        'gen_ai.response.finish_reasons': ['stop'],
        'server.address': '127.0.0.1',
        'gateway.model': 'fast',
      },
    });
    expect(call.attributes['gen_ai.response.id']).toMatch(/^chatcmpl/);
    expect(call.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
    expect(call.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0);
    const [request] = await upstream.requests();
    expect(request?.headers['traceparent']).toBe(`00-${TRACE}-${call.spanId}-01`);
    expect(request?.headers['tracestate']).toBe('vendor=1');
    expect(collector.headers[0]?.['x-team']).toBe('blue one');
    expect(JSON.stringify(spans)).not.toContain(PROMPT);
    expect(JSON.stringify(spans)).not.toContain(client.key);
    expect(gateway.logs()).toContain(`"trace_id":"${TRACE}"`);
  });

  it('have a span for each try, the failed one with its error', async () => {
    await chat({ model: 'shaky', stream: true });
    const spans = await collected(3);
    const server = spans.find(({ kind }) => kind === SERVER)!;
    const tries = spans.filter(({ kind }) => kind === CLIENT).sort((a, b) => (a.name < b.name ? 1 : -1));
    expect(tries.map(({ name }) => name)).toEqual(['chat status-500', 'chat echo']);
    for (const each of tries) expect(each).toMatchObject({ traceId: server.traceId, parentSpanId: server.spanId });
    expect(tries[0]).toMatchObject({ status: { code: ERROR }, attributes: { 'error.type': 'upstream_error' } });
    expect(tries[1]?.attributes).toMatchObject({ 'gateway.attempt': 2, 'gen_ai.response.finish_reasons': ['stop'] });
    expect(tries[1]?.attributes['gen_ai.usage.output_tokens']).toBeGreaterThan(0);
  });

  it('have a span for each task of a batch', async () => {
    const jobId = await client.submitBatch('fast', ['one', 'two']);
    await until(() => collector.spans.filter(({ kind }) => kind === CONSUMER).length === 2);
    const tasks = collector.spans.filter(({ kind }) => kind === CONSUMER);
    expect(tasks.map(({ attributes }) => attributes['gateway.batch.task_index']).sort()).toEqual([0, 1]);
    for (const task of tasks) {
      expect(task).toMatchObject({ name: 'batch task', attributes: { 'gateway.batch.job_id': jobId } });
      const call = collector.spans.find(({ parentSpanId }) => parentSpanId === task.spanId);
      expect(call).toMatchObject({ name: 'chat echo', kind: CLIENT, traceId: task.traceId });
    }
  });

  it('hold content only where it is switched on, and honour the sampler', async () => {
    const open = await startGateway({
      env: {
        ...variables(),
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
        OTEL_TRACES_SAMPLER: 'parentbased_always_off',
      },
      config: config(),
    });
    const openClient = await open.newClient();
    await chat({}, {}, openClient);
    await chat({ stream: true }, { traceparent: `00-${TRACE}-${CLIENT_SPAN}-01` }, openClient);
    // Ending it sends what is left.
    expect((await open.stop()).code).toBe(0);
    const spans = collector.spans.filter(({ name }) => name === 'chat echo');
    expect(spans).toHaveLength(1);
    const { attributes } = spans[0]!;
    expect(JSON.parse(String(attributes['gen_ai.input.messages']))).toEqual([
      { role: 'user', parts: [{ type: 'text', content: PROMPT }] },
    ]);
    expect(JSON.parse(String(attributes['gen_ai.output.messages']))).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: PROMPT }], finish_reason: 'stop' },
    ]);
  });

  it('never hold up a request or a shutdown when the collector is away', async () => {
    const alone = await startGateway({
      env: { ...variables(), OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
      config: config(),
    });
    const aloneClient = await alone.newClient();
    for (let call = 0; call < 20; call += 1) expect((await chat({}, {}, aloneClient)).status).toBe(200);
    const { code, milliseconds } = await alone.stop();
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(10_000 + 10 * alone.startedIn);
  });

  it('refuse to start on settings that would lose them', async () => {
    const { code, stderr } = await startExpectingFailure({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL such as http://127.0.0.1:4318');
    expect(stderr).toContain('OTEL_EXPORTER_OTLP_PROTOCOL');
  });
});
