import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import { keyIdOf } from '../clients/gateway-client.js';
import { countStatuses } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { until } from '../fixtures/until.js';

/** US dollars for a token. */
const PRICE_OF_TOKEN = 0.001;
const BUDGET_USD = 30;
const CALLS = 200;

interface Body {
  model: string;
  stream?: boolean;
  max_tokens?: number;
  max_completion_tokens?: number;
  n?: number;
  user?: string;
}

/**
 * A provider that keeps its own book, by the user that it was called for. It bills a token for every four bytes of what it is
 * sent and, from the beginning, the longest answer that was asked for, whether its client stays or not. By its model it answers,
 * ends early, stalls, leaves the count out, or reports one that is none.
 */
class Bookkeeper {
  readonly billed = new Map<string, number>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((incoming, response) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('end', () => void this.respond(incoming, response, Buffer.concat(pieces)));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  of(user: string): number {
    return this.billed.get(user) ?? 0;
  }

  private async respond({ url = '' }: IncomingMessage, response: ServerResponse, raw: Buffer): Promise<void> {
    const body = JSON.parse(raw.toString()) as Body & { thinking?: object; metadata?: { user_id: string } };
    const isClaude = url.endsWith('/messages');
    const [behaviour = ''] = body.model.split('-');
    if (behaviour === 'refuse') {
      response.writeHead(500).end('{"error":{"message":"no"}}');
      return;
    }
    const prompt = Math.ceil(raw.length / 4);
    const choices = isClaude ? 1 : (body.n ?? 1);
    const completion = Math.max(body.max_completion_tokens ?? 0, body.max_tokens ?? 0) * choices;
    const user = (isClaude ? body.metadata?.user_id : body.user) ?? '';
    this.billed.set(user, this.of(user) + prompt + completion);
    const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
    if (behaviour === 'silent') return;
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200));
    if (response.destroyed) return;
    if (isClaude) {
      const content = [{ type: 'text', text: 'hi' }];
      const counted = { input_tokens: prompt, output_tokens: completion };
      const message = { id: 'msg_1', type: 'message', role: 'assistant', model: body.model, content };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...message, stop_reason: 'end_turn', stop_sequence: null, usage: counted }));
      return;
    }
    const absurd = { prompt_tokens: '12x', completion_tokens: -1, total_tokens: 1e300 };
    const head = { id: 'chatcmpl-1', created: 1, model: body.model };
    if (body.stream !== true) {
      const message = { role: 'assistant', content: 'hi' };
      const all = Array.from({ length: choices }, (_, index) => ({ index, message, finish_reason: 'stop' }));
      response.writeHead(200, { 'content-type': 'application/json' });
      const counted = { ...head, object: 'chat.completion', choices: all, usage };
      if (behaviour === 'broken') response.write(JSON.stringify(counted).slice(0, 40));
      if (behaviour === 'broken') response.destroy();
      else response.end(JSON.stringify(counted));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (fields: object): unknown =>
      response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...fields })}\n\n`);
    for (let word = 0; word < 5; word += 1) {
      for (let index = 0; index < choices; index += 1) {
        send({ choices: [{ index, delta: { content: 'word ' }, finish_reason: null }] });
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
      if (behaviour === 'broken' && word === 2) response.destroy();
      if (!response.writable) return;
    }
    for (let index = 0; index < choices; index += 1) send({ choices: [{ index, delta: {}, finish_reason: 'stop' }] });
    // A count that is none, and then the right one.
    send({ choices: [], usage: absurd });
    send({ choices: [], usage });
    response.end('data: [DONE]\n\n');
  }
}

function configOf({ url }: Bookkeeper): GatewayFile {
  const settings = { strategy: 'priority', price: price(PRICE_OF_TOKEN * 1e6, PRICE_OF_TOKEN * 1e6) } as const;
  const timeouts = { first_byte: '150ms', total: '2s' };
  return {
    providers: {
      local: openAiAt({ url }),
      claude: { type: 'anthropic', base_url: `${url}/v1`, api_key: 'sk-x' },
    },
    models: [
      model('plain', 'local/echo', settings),
      model('claude', 'claude/claude-sonnet-4-5', settings),
      model('broken', 'local/broken', settings),
      model('falling', ['local/refuse', 'local/broken-first', 'local/echo-last'], settings),
      model('passing', 'local/silent', { ...settings, fallbacks: ['plain'], timeouts }),
    ],
  };
}

const TOOL = {
  type: 'function',
  function: { name: 'f', description: 'd'.repeat(400), parameters: { type: 'object' } },
};
const IMAGE = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(2_000)}` } };
const CUSTOM = { id: 'c', type: 'custom', custom: { name: 'grep', input: 'x' } };
const ODD = { id: 'c', type: 'function', function: { name: 'f', arguments: { an: ['object'] } } };

/** Every shape of call, by its number. Some clients leave: at once, during the wait, in the middle, before the count. */
function callOf(index: number): { fields: object; leaveAfterMs: number | undefined } {
  const text = [{ role: 'user', content: 'x'.repeat(50 + (index % 7) * 40) }];
  const history = (call: object): object[] => [
    ...text,
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'c', content: 'ok' },
  ];
  const shapes: object[] = [
    { model: 'plain', max_tokens: 60 },
    { model: 'plain', max_tokens: 50, n: 3 },
    { model: 'plain', max_tokens: 1, max_completion_tokens: 90 },
    { model: 'plain', max_tokens: 40, tools: [TOOL] },
    { model: 'plain', max_tokens: 40, functions: [TOOL.function] },
    { model: 'plain', max_tokens: 40, prediction: { type: 'content', content: 'p'.repeat(600) } },
    { model: 'plain', max_tokens: 30, messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, IMAGE] }] },
    { model: 'plain', max_tokens: 30, messages: history(CUSTOM) },
    { model: 'plain', max_tokens: 30, messages: history(ODD) },
    { model: 'claude', max_tokens: 30, n: 4 },
    { model: 'claude', max_tokens: 1_100, thinking: { type: 'enabled', budget_tokens: 1_024 } },
    { model: 'claude', max_tokens: 5, thinking: { type: 'enabled', budget_tokens: 2_000 } },
    { model: 'broken', max_tokens: 60 },
    { model: 'falling', max_tokens: 60 },
    { model: 'passing', max_tokens: 60 },
  ];
  const fields = { messages: text, stream: index % 2 === 0, ...shapes[index % shapes.length] };
  // Claude's form is answered plainly by the fake.
  if ('model' in fields && fields.model === 'claude') fields.stream = false;
  const leaves = [undefined, 5, undefined, 90, undefined, 240, undefined, 180];
  return { fields, leaveAfterMs: leaves[Math.floor(index / 3) % leaves.length] };
}

describe('many calls of every shape against one small budget', () => {
  let provider: Bookkeeper;
  let gateways: RunningGateway[];
  let redis: RedisServer | undefined;

  beforeAll(async () => {
    provider = new Bookkeeper();
    await provider.start();
    const config = configOf(provider);
    if (!isPostgresRun) {
      gateways = [await startGateway({ config, env: { GATEWAY_PROCESSES: '2' } })];
      return;
    }
    redis = await startRedis();
    const env = { REDIS_URL: redis.url, GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
    const first = await startGateway({ config, env });
    gateways = [first, ...(await Promise.all([1, 2].map(() => startGateway({ config, env, joins: first }))))];
  });
  afterAll(async () => {
    for (const gateway of gateways.reverse()) await gateway.stop();
    await provider.stop();
    await redis?.stop();
  });

  function at(index: number): RunningGateway {
    const gateway = gateways[index % gateways.length];
    if (gateway === undefined) throw new Error('no gateway');
    return gateway;
  }

  /** @returns the status; 0 when the client left before it came */
  async function call(index: number, key: string, user: string): Promise<number> {
    const { fields, leaveAfterMs } = callOf(index);
    const controller = new AbortController();
    const timer = leaveAfterMs === undefined ? undefined : setTimeout(() => controller.abort(), leaveAfterMs);
    try {
      const response = await at(index)
        .client(key)
        .openChat({ ...fields, user }, { signal: controller.signal });
      await response.text().catch(() => '');
      return response.status;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      return 0;
    } finally {
      clearTimeout(timer);
    }
  }

  async function race(user: string, during: () => Promise<void>): Promise<void> {
    const key = await at(0).apiKey({ budget: { usd: BUDGET_USD, period: 'total' } });
    await call(0, key, user);
    const task = { user, max_tokens: 40, messages: [{ role: 'user', content: 'x'.repeat(100) }] };
    const tasks = Array.from({ length: 20 }, () => task);
    await at(0).client(key).submitBatch('plain', tasks);
    const statuses: number[] = [];
    const half = CALLS / 2;
    const first = Array.from({ length: half }, (_, index) => call(index, key, user));
    const fault = during();
    statuses.push(...(await Promise.all(first)));
    await fault;
    // Spent completely, so that anything not counted would be spent twice.
    for (let round = 0; round < 5; round += 1) {
      const calls = Array.from({ length: half / 5 }, (_, index) => call(half + round * 20 + index, key, user));
      statuses.push(...(await Promise.all(calls)));
    }
    const known = [0, 200, 400, 429, 500, 502, 503, 504];
    expect(statuses.filter((status) => !known.includes(status))).toEqual([]);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(5);

    const billed = provider.of(user) * PRICE_OF_TOKEN;
    let records: UsageRecordDto[] = [];
    const sum = (): number => records.reduce((total, { cost_usd: cost }) => total + (cost ?? 0), 0);
    // Every call that the provider has billed leaves a record of at least what it billed.
    await until(async () => {
      records = await at(0).admin.usageRecords(`key_id=${keyIdOf(key)}`);
      return sum() >= billed - 1e-9;
    });
    expect(records.every(({ cost_usd: cost }) => cost !== null && Number.isFinite(cost) && cost >= 0)).toBe(true);
    expect(records.some(({ cost_basis: basis }) => basis === 'worst_case')).toBe(true);
    console.info(
      `${user}: budget $${BUDGET_USD}, provider billed $${billed.toFixed(2)}, records $${sum().toFixed(2)}, statuses ${JSON.stringify(countStatuses(statuses.map((status) => ({ status }))))}`,
    );
    expect(billed).toBeLessThanOrEqual(BUDGET_USD);
    expect(provider.of(user)).toBeGreaterThan(0);
    for (const gateway of gateways) expect(gateway.logs()).not.toContain('could not be counted');
  }

  it('a provider never bills more than the budget', () => race('calm', () => Promise.resolve()));

  (isPostgresRun ? it : it.skip)('nor while Redis forgets everything', () =>
    race('forgetting', async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await redis?.flushAll();
    }),
  );

  (isPostgresRun ? it : it.skip)('nor while Redis is frozen', () =>
    race('frozen', async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      process.kill(redis?.pid ?? 0, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      process.kill(redis?.pid ?? 0, 'SIGCONT');
      await until(() => at(0).logs().includes('Redis is back'));
    }),
  );
});
