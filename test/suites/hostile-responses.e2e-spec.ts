import { nativeProviders } from '../upstreams/fake-native-providers.js';
import { HostileProvider } from '../upstreams/hostile-provider.js';
import { keyIdOf } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, price } from '../fixtures/gateway-config.js';
import { mutateValue, randomOf, type Random } from '../fixtures/mutations.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

/** PostgreSQL keeps other text than SQLite does; the rest of what they show depends on no database. */
const CALLS = isPostgresRun ? 200 : 500;
const CONCURRENCY = 8;
/** Many deployments of each provider, so that few calls meet a circuit that an earlier one has opened. */
const MODELS_PER_PROVIDER = 25;
const PRICE = { ...price(1_000, 2_000), cached_input_per_million: 100, cache_write_per_million: 1_250 };
/** Each call has its own seed, which its prompt passes to the provider; HOSTILE_SEED makes other calls. */
const FIRST_SEED = Number(process.env['HOSTILE_SEED'] ?? 1);

interface Call {
  readonly seed: number;
  readonly key: string;
  readonly body: unknown;
  readonly isStream: boolean;
}

describe('any behaviour of a provider or a client', () => {
  const provider = new HostileProvider();
  let gateway: RunningGateway;

  beforeAll(async () => {
    console.info(`HOSTILE_SEED=${FIRST_SEED}`);
    await provider.start();
    const models = HostileProvider.types.flatMap((type) =>
      Array.from({ length: MODELS_PER_PROVIDER }, (_, index) =>
        model(`${type}-${index}`, `${type}/m-${index}`, { price: PRICE }),
      ),
    );
    gateway = await startGateway({ config: { providers: nativeProviders(HostileProvider.types, provider), models } });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  /** @returns the request's id */
  async function send({ seed, key, body, isStream }: Call): Promise<string> {
    const response = await gateway.client(key).post('/v1/chat/completions', JSON.stringify(body));
    try {
      expectSound(response, isStream);
    } catch (error) {
      throw new Error(`seed ${seed}: ${response.status} ${response.text.slice(0, 2_000)} for ${JSON.stringify(body)}`, {
        cause: error,
      });
    }
    return response.header('x-request-id');
  }

  async function sendAll(calls: readonly Call[]): Promise<string[]> {
    const left = [...calls];
    const ids: string[] = [];
    const work = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) ids.push(await send(next));
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    return ids;
  }

  /** Every record is stored, every amount is one, and nothing waits or is held. */
  async function expectSoundBooks(keys: readonly string[], hasRecord: readonly string[]): Promise<void> {
    const valueOf = async (name: string): Promise<number[]> =>
      ((await gateway.admin.metrics()).get(name)?.samples ?? []).map(({ value }) => value);
    await until(async () => (await valueOf('gateway_usage_records_waiting')).every((value) => value === 0));
    await until(async () => (await valueOf('gateway_deployment_in_flight')).every((value) => value === 0));
    const records = (await Promise.all(keys.map((key) => gateway.admin.usageRecords(`key_id=${keyIdOf(key)}`)))).flat();
    const stored = new Set(records.map(({ request_id: id }) => id));
    expect(hasRecord.filter((id) => !stored.has(id))).toEqual([]);
    // Metadata is the client's own.
    for (const record of records) expectAmounts({ ...record, metadata: null });
    expect(await valueOf('gateway_usage_records_dropped_total')).toEqual([0]);
    expect(await valueOf('gateway_usage_records_set_aside_total')).toEqual([0]);
    for (const family of (await gateway.admin.metrics()).values()) {
      for (const { name, value } of family.samples)
        expect({ name, isNaN: Number.isNaN(value) }).toEqual({ name, isNaN: false });
    }
    expectAmounts(await gateway.admin.read('/v1/admin/usage?group_by=key'));
    expect(gateway.logs()).not.toMatch(/internal_error|uncaught exception|unhandled rejection/);
  }

  const seeds = (count: number, from: number): number[] => Array.from({ length: count }, (_, index) => from + index);

  it('answers are answers or errors of the provider, and the books stay sound', async () => {
    const keys = [
      await gateway.apiKey(),
      await gateway.apiKey({
        limits: { tpm: 1_000_000_000, concurrency: 100 },
        budget: { usd: 1_000_000, period: 'day' },
      }),
    ];
    const calls = seeds(CALLS, FIRST_SEED).map((seed) => callFor(seed, keys));
    const ids = await sendAll(calls);
    expect(new Set(ids).size).toBe(CALLS);
    await expectSoundBooks(keys, ids);
    // The budget has lost none of its force.
    const poor = await gateway.apiKey({ budget: { usd: 0.000_001, period: 'day' } });
    const { body } = callFor(FIRST_SEED, [poor]);
    const refused = await gateway.client(poor).post('/v1/chat/completions', JSON.stringify(body));
    expect(refused.status).toBe(429);
  });

  it('requests of any shape are answered or refused by name, on every wire format', async () => {
    const keys = [await gateway.apiKey(), await gateway.apiKey({ budget: { usd: 1_000_000, period: 'total' } })];
    const calls = seeds(CALLS, FIRST_SEED + CALLS).map((seed) => {
      const call = callFor(seed, keys);
      const random = randomOf(seed ^ 0x5bd1e995);
      const { model, stream, ...rest } = call.body as Record<string, unknown>;
      const mutated = mutateValue({ ...rest, ...history(random) }, random);
      const isObject = typeof mutated === 'object' && mutated !== null && !Array.isArray(mutated);
      return { ...call, body: isObject ? { model, ...mutated, stream } : mutated, isStream: call.isStream && isObject };
    });
    await sendAll(calls);
    await expectSoundBooks(keys, []);
  });
});

function callFor(seed: number, keys: readonly string[]): Call {
  const random = randomOf(seed);
  const isStream = random.chance(0.5);
  const parameters = { type: 'object', properties: { city: { type: 'string' } } };
  const tool = (name: string): object => ({ type: 'function', function: { name, parameters } });
  const body = {
    model: `${random.of(HostileProvider.types)}-${random.below(MODELS_PER_PROVIDER)}`,
    messages: [{ role: 'user', content: `seed ${seed}` }],
    max_tokens: 100,
    stream: isStream,
    ...(isStream && random.chance(0.7) && { stream_options: { include_usage: true } }),
    ...(random.chance(0.4) && { tools: [tool('first'), tool('second')] }),
  };
  return { seed, key: random.of(keys), body, isStream };
}

/** Fields that a request may have, as they are right. */
function history(random: Random): object {
  const parts = [
    { type: 'text', text: 'what is this?' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } },
    { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
  ];
  const calls = [{ id: 'call_1', type: 'function', function: { name: 'first', arguments: '{"city":"Paris"}' } }];
  return {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: parts.slice(0, 1 + random.below(parts.length)), name: 'user' },
      { role: 'assistant', content: null, tool_calls: calls, reasoning_content: 'I think', refusal: null },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      { role: 'user', content: 'and now?' },
    ],
    temperature: 0.5,
    top_p: 1,
    n: 1,
    stop: ['x'],
    seed: 1,
    logit_bias: { '50256': -100 },
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
    tool_choice: { type: 'function', function: { name: 'first' } },
    parallel_tool_calls: true,
    reasoning_effort: 'low',
    metadata: { a: 'b' },
    user: 'someone',
    prediction: { type: 'content', content: 'x' },
  };
}

function expectSound(response: GatewayResponse, isStream: boolean): void {
  const { text } = response;
  expect(text).not.toContain('internal_error');
  expect(response.status).not.toBe(500);
  const cost = response.headers.get('x-gateway-cost');
  if (cost !== null) expect(cost).toMatch(/^\d+(?:\.\d+)?$/);
  if (!isStream || response.status !== 200) {
    const body = JSON.parse(text) as { error?: object; choices?: unknown[]; usage?: object };
    if (response.status !== 200)
      expect(body.error).toMatchObject({ message: expect.any(String) as string, type: expect.any(String) as string });
    else expect(Array.isArray(body.choices)).toBe(true);
    expectAmounts(body.usage);
    return;
  }
  const events = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice(6));
  const last = events.at(-1) ?? '';
  const isWhole = last === '[DONE]';
  const values = (isWhole ? events.slice(0, -1) : events).map(
    (event) => JSON.parse(event) as { error?: object; usage?: object },
  );
  for (const { usage } of values) expectAmounts(usage);
  expect(values.slice(0, -1).some(({ error }) => error !== undefined)).toBe(false);
  // A stream ends whole or with an error event, and never with both or neither.
  expect(values.at(-1)?.error !== undefined).toBe(!isWhole);
}

/** Numbers at any depth are neither negative nor too large to be exact; JSON writes those that are not finite as null, which counts never are. */
function expectAmounts(value: unknown, name = ''): void {
  if (typeof value === 'number') {
    expect({ name, value, isSound: value >= 0 && value <= Number.MAX_SAFE_INTEGER }).toMatchObject({ isSound: true });
    if (name.endsWith('_tokens'))
      expect({ name, value, isWhole: Number.isInteger(value) }).toMatchObject({ isWhole: true });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) expectAmounts(each, key);
  }
}
