import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

const TEXT = 'one two three four five six seven eight nine';
/** Of a stream that the fake aborts half-way: the role and then these. */
const HALF = 'one two three four';
const PRICE = { input: 3, output: 15 };
/** What an answer is taken to have at most, where neither the request nor the file says it. */
const MAX_OUTPUT_TOKENS = 4_096;

/** By model: what its deployments do, tried in this order. Each passes the fake the model for which it was called. */
const MODELS: Readonly<Record<string, { deployments: string[]; fallbacks?: string[] }>> = {
  plain: { deployments: ['echo'] },
  /** Reports no usage. */
  bare: { deployments: ['echo?usage=none&without=usage'] },
  /** Takes a minute for a plain answer. */
  slow: { deployments: ['echo?delay=60000'] },
  words: { deployments: ['words?count=60&delay=20'] },
  /** Goes silent half-way. */
  hush: { deployments: ['stall?at=mid'] },
  cut: { deployments: ['reset?at=mid'] },
  refusing: { deployments: ['status-500', 'status-429', 'echo'] },
  dropping: { deployments: ['drop', 'reset?at=headers', 'echo'] },
  /** Aborts between the head of the response and its first event or byte. */
  begun: { deployments: ['reset?at=first', 'echo'] },
  silent: { deployments: ['stall?at=headers', 'echo?again=1'] },
  passing: { deployments: ['stall?at=headers'], fallbacks: ['plain'] },
  dead: { deployments: ['stall?at=headers', 'stall?at=headers&again=1', 'status-503'] },
};

function configOf(upstream: FakeUpstream): GatewayFile {
  const models = Object.entries(MODELS).map(([id, { deployments, fallbacks = [] }]) => {
    const places = deployments.map((each) => `local/${each}${each.includes('?') ? '&' : '?'}tokens=o200k&for=${id}`);
    const isSilent = ['silent', 'passing', 'dead'].includes(id);
    return model(id, places, {
      strategy: 'priority',
      fallbacks,
      price: price(PRICE.input, PRICE.output),
      ...(isSilent && { timeouts: { first_byte: '1s', total: '5s' } }),
    });
  });
  return { providers: { local: openAiAt(upstream) }, models };
}

describe('usage records and the provider’s own book of tokens', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  const clients: Record<string, GatewayClient> = {};

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({ config: configOf(upstream) });
    for (const name of ['ada', 'grace', 'alan']) clients[name] = await gateway.newClient();
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const clientOf = (name: string): GatewayClient => clients[name]!;

  /** Asks, and goes away when `leave` says so of the text so far. @returns the request's id */
  async function ask(
    name: string,
    model: string,
    id: string,
    { stream = true, leave }: { stream?: boolean; leave?: (text: string) => boolean } = {},
  ): Promise<string> {
    const controller = new AbortController();
    try {
      // The key's name goes along, because that is all that the provider sees of it.
      const fields = { model, stream, user: name, messages: [{ role: 'user', content: TEXT }] };
      const response = await clientOf(name).openChat(fields, {
        headers: { 'x-request-id': id },
        signal: controller.signal,
      });
      let frames = '';
      for await (const piece of response.pieces) {
        frames += piece;
        const text = [...frames.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]).join('');
        if (leave?.(text) === true) controller.abort();
      }
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    }
    return id;
  }

  /** Asks for a plain answer and goes away once the provider is at work. */
  async function leaveWaiting(name: string, id: string): Promise<string> {
    const controller = new AbortController();
    const fields = { model: 'slow', user: name, messages: [{ role: 'user', content: TEXT }] };
    const asked = clientOf(name).chat(fields, { headers: { 'x-request-id': id }, signal: controller.signal });
    await until(async () => (await upstream.tokenLog()).some((entry) => entry.request_id === id));
    controller.abort();
    await expect(asked).rejects.toThrow();
    return id;
  }

  /** All records of requests, once there is one for each. */
  async function recordsOf(ids: readonly string[]): Promise<UsageRecordDto[]> {
    let found: UsageRecordDto[] = [];
    await until(async () => {
      found = (await gateway.admin.usageRecords()).filter(({ request_id: id }) => ids.includes(id));
      return (
        new Set(found.filter(({ status }) => status !== 'retried').map(({ request_id: id }) => id)).size === ids.length
      );
    });
    return found;
  }

  async function runBatch(name: string, model: string, count: number): Promise<void> {
    const tasks = Array.from({ length: count }, () => ({ user: name, messages: [{ role: 'user', content: TEXT }] }));
    const { status } = await clientOf(name).endedBatch(await clientOf(name).submitBatch(model, tasks));
    expect(status).toBe('completed');
  }

  it('say of each disconnect, retry and failure what it may cost at most, unless the provider counted', async () => {
    const prompt = 16;
    const worst = { cost_basis: 'worst_case', completion_tokens: MAX_OUTPUT_TOKENS, estimated: true };
    const reported = { cost_basis: 'reported', prompt_tokens: prompt, completion_tokens: 9, estimated: false };
    const cases = {
      hush: { status: 'abandoned', ...worst },
      refusing: { status: 'succeeded', ...reported, attempts: 3 },
      dropping: { status: 'succeeded', ...reported, attempts: 3 },
    };
    for (const [model, expected] of Object.entries(cases)) {
      const leave = model === 'hush' ? (text: string): boolean => text === HALF : undefined;
      const id = await ask('alan', model, `single-${model}`, leave && { leave });
      const records = await recordsOf([id]);
      expect(records).toEqual([expect.objectContaining(expected)]);
      expect(records[0]?.prompt_tokens).toBeGreaterThanOrEqual(prompt);
    }
    // The only deployment is asked once more to go on with its stream, and breaks again.
    const broken = await recordsOf([await ask('alan', 'cut', 'single-cut')]);
    expect(broken).toHaveLength(2);
    expect(broken).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ status: 'retried', cost_basis: 'estimated', estimated: true, attempts: 1 }),
        expect.objectContaining({ status: 'failed', attempts: 2, ...worst }),
      ]),
    );
    const waited = await leaveWaiting('alan', 'single-slow');
    expect(await recordsOf([waited])).toEqual([expect.objectContaining({ status: 'abandoned', ...worst })]);
    const passed = await recordsOf([await ask('alan', 'passing', 'single-passing')]);
    expect(passed).toHaveLength(2);
    expect(passed.find(({ status }) => status === 'retried')).toMatchObject({
      model: 'passing',
      error_code: 'upstream_timeout',
      attempts: 1,
      ...worst,
    });
    expect(passed.find(({ status }) => status !== 'retried')).toMatchObject({
      model: 'plain',
      status: 'succeeded',
      attempts: 2,
      ...reported,
    });
  });

  it('and budgets take the same from a key, abandoned attempts included', async () => {
    clients['bob'] = await gateway.newClient({ budget: { usd: 1, period: 'total' } });
    const records = await recordsOf([await ask('bob', 'silent', 'of-a-budget')]);
    expect(records.map(({ status, cost_basis: basis }) => [status, basis]).sort()).toEqual([
      ['retried', 'worst_case'],
      ['succeeded', 'reported'],
    ]);
    const spent = records.reduce((sum, { cost_usd: cost }) => sum + Math.round((cost ?? 0) * 1e9), 0);
    const messages = [{ role: 'user', content: TEXT }];
    const refused = await clientOf('bob').chat({ model: 'plain', max_tokens: 100_000, messages });
    expect([refused.status, refused.text]).toEqual([
      429,
      expect.stringContaining(`has spent ${Math.round(spent / 1_000) / 1e6} of its budget of 1 dollars`),
    ]);
  });

  it('agree by key and model over streams, disconnects, retries, fallbacks and batches, and none is lost or double', async () => {
    const ids: string[] = [];
    let count = 0;
    const next = (): string => `token-log-${(count += 1)}`;
    const askAll = async (name: string): Promise<void> => {
      const asked = [
        ...['plain', 'bare', 'refusing', 'dropping', 'begun', 'silent', 'passing', 'dead'].flatMap((model) => [
          ask(name, model, next()),
          ask(name, model, next(), { stream: false }),
        ]),
        ask(name, 'cut', next()),
        ask(name, 'hush', next(), { leave: (text) => text === HALF }),
        leaveWaiting(name, next()),
      ];
      ids.push(...(await Promise.all(asked)));
    };
    const askTwice = async (name: string): Promise<void> => {
      for (let round = 0; round < 2; round += 1) await askAll(name);
    };
    await Promise.all([askTwice('ada'), askAll('grace')]);
    await Promise.all([runBatch('ada', 'plain', 20), runBatch('grace', 'begun', 3), runBatch('grace', 'bare', 5)]);
    const isTask = ({ source, status }: UsageRecordDto): boolean => source === 'batch' && status !== 'retried';
    await until(async () => (await gateway.admin.usageRecords()).filter(isTask).length === 28);

    const live = await recordsOf(ids);
    const records = await gateway.admin.usageRecords();
    const requests = records.filter(({ status }) => status !== 'retried');
    expect(requests.filter(({ source }) => source === 'batch')).toHaveLength(28);
    expect(live.filter(({ status }) => status !== 'retried')).toHaveLength(ids.length);
    expect(live.some(({ status }) => status === 'retried')).toBe(true);

    const log = await upstream.tokenLog();
    for (const name of ['ada', 'grace']) {
      const data = await gateway.admin.usage(`interval=none&group_by=model&key_id=${clientOf(name).keyId}&limit=100`);
      const sums = Object.fromEntries(
        data.map(({ group, prompt_tokens: prompt, completion_tokens: completion }) => [
          group ?? '',
          { prompt, completion },
        ]),
      );
      const billed: typeof sums = {};
      for (const { model, user, prompt_tokens: prompt, completion_tokens: completion } of log) {
        if (user !== name) continue;
        const of = new URLSearchParams(model?.split('?')[1]).get('for') ?? '';
        const sum = (billed[of] ??= { prompt: 0, completion: 0 });
        sum.prompt += prompt;
        sum.completion += completion;
      }
      const isCounted = ({ model, key_id: id }: UsageRecordDto): boolean =>
        id === clientOf(name).keyId &&
        records.every((each) => each.model !== model || each.cost_basis !== 'worst_case');
      const counted = new Set(records.filter(isCounted).map(({ model }) => model));
      expect(counted.size).toBeGreaterThan(1);
      expect(Object.keys(sums).sort()).toEqual(Object.keys(billed).sort());
      for (const [model, sum] of Object.entries(billed)) {
        if (counted.has(model)) expect({ model, ...sums[model] }).toEqual({ model, ...sum });
        expect(sums[model]?.prompt).toBeGreaterThanOrEqual(sum.prompt);
        expect(sums[model]?.completion).toBeGreaterThanOrEqual(sum.completion);
      }
      for (const { prompt_tokens: prompt, completion_tokens: completion, cost_usd: cost } of data) {
        expect(Math.round(cost * 1e9)).toBe((prompt * PRICE.input + completion * PRICE.output) * 1_000);
      }
      const own = requests.filter(({ key_id: id }) => id === clientOf(name).keyId);
      expect(data.reduce((sum, row) => sum + row.requests, 0)).toBe(own.length);
      expect(data.reduce((sum, row) => sum + row.failed_requests, 0)).toBe(
        own.filter(({ status }) => status === 'failed').length,
      );
    }
  });

  it('are never less than what a provider bills for a stream that its client leaves', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ask('alan', 'words', `flowing-${index}`, { leave: (text) => text.split(' ').length > index + 2 }),
      ),
    );
    const records = await recordsOf(ids);
    await until(async () => (await upstream.requests()).every(({ closedAt }) => closedAt !== null));
    const log = await upstream.tokenLog();
    for (const { request_id: id, status, prompt_tokens: prompt, completion_tokens: completion } of records) {
      const billed = log.find((entry) => entry.request_id === id);
      expect(status).toBe('abandoned');
      expect(prompt).toBeGreaterThanOrEqual(billed?.prompt_tokens ?? Infinity);
      expect(completion).toBeGreaterThanOrEqual(billed?.completion_tokens ?? Infinity);
    }
  });
});
