import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis } from '../fixtures/redis-server.js';
import { atTheSameTime } from '../fixtures/at-the-same-time.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly header: (name: string) => string;
}

/** What the slow model takes to answer: far longer than the timeout that a request asks for. */
const SLOW_MS = 600_000;

interface AskOptions {
  readonly key?: string;
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

let dispatcher: Agent;
beforeAll(() => {
  dispatcher = new Agent({ connections: 400 });
});
afterAll(() => dispatcher.close());

async function askAt(url: string, key: string, model: string, options: AskOptions = {}): Promise<Answer> {
  const answer = await request(`${url}/v1/chat/completions`, {
    dispatcher,
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...options.headers },
    body: JSON.stringify({
      model,
      stream: options.stream ?? false,
      messages: [{ role: 'user', content: 'still here' }],
    }),
    signal: options.signal,
  });
  const text = await answer.body.text();
  return {
    status: answer.statusCode,
    text,
    header: (name) => String(answer.headers[name] ?? ''),
  };
}

// What depends neither on the database nor on Redis.
const onceOnly = isPostgresRun ? describe.skip : describe;

onceOnly('patterns, aliases, overrides and places', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let key: string;
  let trusted: string;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: `providers:
  local: { type: openai, base_url: "${upstream.url}/v1" }
  refused: { type: openai, base_url: "http://127.0.0.1:9/v1" }
expose: listed
models:
  - { id: "vendor/*", deployments: [{ provider: local, model: "*" }] }
  - { id: "vendor/tools", deployments: [{ provider: local, model: "tools" }] }
  - { id: fast, aliases: [gpt-4o], deployments: [{ provider: local, model: echo }] }
  - { id: down, deployments: [{ provider: refused, model: x }], fallbacks: [fast] }
  - { id: slow, deployments: [{ provider: local, model: "echo?delay=${SLOW_MS}" }] }
  - id: held
    deployments: [{ provider: local, model: "echo?gate&held", concurrency: 4 }]
  - id: narrow
    deployments: [{ provider: local, model: "echo?gate&narrow", concurrency: 4 }]
    queue: { size: 40, timeout: 60s }
  - { id: closed, deployments: [{ provider: local, model: "echo?gate&closed", concurrency: 1 }], queue: { size: 0 } }
  - id: spills
    deployments: [{ provider: local, model: "echo?gate&spills", concurrency: 1 }]
    queue: { size: 0 }
    fallbacks: [fast]
`,
    });
    key = await gateway.apiKey();
    trusted = await gateway.apiKey({ scopes: ['inference', 'routing'], allowed_models: ['down', 'slow', 'fast'] });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const ask = (model: string, options: AskOptions = {}): Promise<Answer> =>
    askAt(gateway.url, options.key ?? key, model, options);

  it('reaches models by pattern and by alias, and lists both', async () => {
    const answers = await Promise.all(['vendor/words?count=2', 'vendor/tools', 'gpt-4o', 'fast'].map((id) => ask(id)));
    expect(answers.map(({ status, header }) => [status, header('x-gateway-model')])).toEqual([
      [200, 'vendor/words?count=2'],
      [200, 'vendor/tools'],
      [200, 'fast'],
      [200, 'fast'],
    ]);
    expect((await ask('local/echo')).status).toBe(404);
    expect((await ask('gpt-4')).text).toContain('Did you mean `gpt-4o`?');
    const list = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    const ids = ((await list.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['vendor/echo', 'vendor/tools', 'vendor/words', 'fast', 'gpt-4o']));
    expect(ids).not.toContain('vendor/*');
    expect(ids.filter((id) => id === 'vendor/tools')).toHaveLength(1);
    const found = async (id: string, by = key): Promise<[number, unknown]> => {
      const model = await fetch(`${gateway.url}/v1/models/${id}`, { headers: { authorization: `Bearer ${by}` } });
      return [model.status, ((await model.json()) as { id?: string }).id];
    };
    // No list has this one, and a completion would be served.
    for (const id of ['vendor/unlisted', 'vendor/a/b', 'gpt-4o']) expect(await found(id)).toEqual([200, id]);
    expect(await found('local/echo')).toEqual([404, undefined]);
  });

  it('lets a key that may call a model call its alias, and no other', async () => {
    const narrow = await gateway.apiKey({ allowed_models: ['fast'] });
    expect((await ask('gpt-4o', { key: narrow })).status).toBe(200);
    expect((await ask('vendor/echo', { key: narrow })).status).toBe(403);
  });

  it('takes fallbacks and timeout of a request from trusted keys alone', async () => {
    const none = { headers: { 'x-gateway-fallbacks': 'none' } };
    expect((await ask('down', none)).text).toContain("scope 'routing'");
    expect((await ask('down', { ...none, key: trusted })).status).toBe(502);
    const own = { key: trusted, headers: { 'x-gateway-fallbacks': 'slow, fast', 'x-gateway-timeout': '300ms' } };
    const late = await ask('down', own);
    expect([late.status, JSON.parse(late.text)]).toMatchObject([504, { error: { code: 'upstream_timeout' } }]);
    const foreign = await ask('down', { key: trusted, headers: { 'x-gateway-fallbacks': 'vendor/echo' } });
    expect(JSON.parse(foreign.text)).toMatchObject({ error: { code: 'model_not_allowed' } });
    const wrong = await ask('down', { key: trusted, headers: { 'x-gateway-timeout': 'soon' } });
    expect([wrong.status, JSON.parse(wrong.text)]).toMatchObject([400, { error: { param: 'x-gateway-timeout' } }]);
  });

  it('never has more calls in flight than a deployment takes; the others wait their turn', async () => {
    await upstream.reset();
    const send = (): Promise<Answer>[] =>
      Array.from({ length: 40 }, (_, index) => ask('narrow', { stream: index % 2 === 0 }));
    const answers = await atTheSameTime(upstream, send, 36);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const spans = await upstream.requests();
    const most = Math.max(
      ...spans.map(
        ({ startedAt: at }) => spans.filter((each) => each.startedAt <= at && (each.closedAt ?? 0) > at).length,
      ),
    );
    expect(most).toBe(4);
  });

  it('refuses what would wait too long with a time to come back, or falls back', async () => {
    const closed = await atTheSameTime(upstream, () => [ask('closed'), ask('closed')]);
    const refused = closed.find(({ status }) => status !== 200);
    expect([refused?.status, refused?.header('retry-after')]).toEqual([503, '1']);
    const spilled = await atTheSameTime(upstream, () => [ask('spills'), ask('spills')]);
    expect(spilled.map(({ status, header }) => [status, header('x-gateway-model')]).sort()).toEqual([
      [200, 'fast'],
      [200, 'spills'],
    ]);
  });

  it('gives the place of a client that went away to the next', async () => {
    await upstream.reset();
    await upstream.closeGate();
    const leaving = new AbortController();
    const left = Array.from({ length: 8 }, () =>
      ask('held', { signal: leaving.signal }).then(
        () => 'answered',
        () => 'left',
      ),
    );
    await until(async () => (await upstream.requests()).length === 4);
    leaving.abort();
    expect(new Set(await Promise.all(left))).toEqual(new Set(['left']));
    await upstream.openGate();
    expect((await ask('held')).status).toBe(200);
    const listed = await fetch(`${gateway.url}/v1/admin/deployments`, { headers: { 'x-api-key': gateway.adminKey } });
    const { data } = (await listed.json()) as { data: { id: string; in_flight: number; waiting: number }[] };
    expect(data.find(({ id }) => id.endsWith('held'))).toMatchObject({ in_flight: 0, waiting: 0, concurrency: 4 });
  });

  it('readiness names models that no deployment can answer for', async () => {
    for (let round = 0; round < 5; round += 1)
      await ask('down', { key: trusted, headers: { 'x-gateway-fallbacks': 'none' } });
    const ready = await fetch(`${gateway.url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ info: { models: { status: 'up', without_deployment: ['down'] } } });
  });
});

onceOnly('local servers', () => {
  it('are found at their usual ports when asked, and their lists are merged', async () => {
    const server = createServer((_request, response) => {
      response
        .setHeader('content-type', 'application/json')
        .end('{"object":"list","data":[{"id":"llama3.2","object":"model"}]}');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(1234, '127.0.0.1', resolve);
    });
    const gateway = await startGateway({ config: 'discover: true\nsandbox: true\n' });
    try {
      const list = await fetch(`${gateway.url}/v1/models`, {
        headers: { authorization: `Bearer ${gateway.adminKey}` },
      });
      const ids = ((await list.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
      expect(ids).toEqual(expect.arrayContaining(['lmstudio/llama3.2', 'sandbox/echo']));
      expect(gateway.logs()).not.toContain('could not be read');
    } finally {
      await gateway.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    expect((server.address() as AddressInfo | null) ?? null).toBeNull();
  });
});

(isPostgresRun ? describe : describe.skip)('with Redis', () => {
  it('a breaker that opened and a pause that was asked for are known to the other process', async () => {
    const [redis, upstream] = await Promise.all([startRedis(), startFakeUpstream()]);
    const config = `providers: { local: { type: openai, base_url: "${upstream.url}/v1" } }
models:
  - { id: broken, strategy: priority, deployments: [{ provider: local, model: status-500 }, { provider: local, model: echo }] }
  - { id: limited, deployments: [{ provider: local, model: "status?code=429&retry-after=600" }] }
`;
    const env = { REDIS_URL: redis.url, GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
    const first = await startGateway({ config, env });
    const second = await startGateway({
      config,
      env: { ...env, DATABASE_URL: first.databaseUrl, GATEWAY_ADMIN_KEY: first.adminKey },
    });
    const states = async (
      gateway: RunningGateway,
    ): Promise<Record<string, { breaker: string; retry_in_ms: number }>> => {
      const listed = await fetch(`${gateway.url}/v1/admin/deployments`, { headers: { 'x-api-key': first.adminKey } });
      const { data } = (await listed.json()) as { data: { id: string; breaker: string; retry_in_ms: number }[] };
      return Object.fromEntries(data.map((each) => [each.id, each]));
    };
    let third: RunningGateway | undefined;
    try {
      const started = performance.now();
      await askAt(first.url, first.adminKey, 'limited');
      for (let round = 0; round < 5; round += 1) await askAt(first.url, first.adminKey, 'broken');
      await until(async () => (await states(second))['local/status-500']?.breaker === 'open');
      await until(
        async () => ((await states(second))['local/status?code=429&retry-after=600']?.retry_in_ms ?? 0) > 20_000,
      );
      console.info(`shared after ${(performance.now() - started).toFixed(0)} ms`);
      const asked = (await upstream.requests()).length;
      expect((await askAt(second.url, first.adminKey, 'limited')).status).toBe(429);
      expect((await askAt(second.url, first.adminKey, 'broken')).header('x-gateway-attempts')).toBe('1');
      expect((await upstream.requests()).length).toBe(asked + 1);
      third = await startGateway({
        config,
        env: { ...env, DATABASE_URL: first.databaseUrl, GATEWAY_ADMIN_KEY: first.adminKey },
      });
      const late = third;
      await until(async () => (await states(late))['local/status-500']?.breaker === 'open');
      await redis.kill();
      expect((await askAt(second.url, first.adminKey, 'broken')).status).toBe(200);
    } finally {
      await third?.stop();
      await second.stop();
      await first.stop();
      await Promise.all([upstream.stop(), redis.stop()]);
    }
  });
});

onceOnly('reload', () => {
  let first: FakeUpstream;
  let second: FakeUpstream;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    [first, second] = await Promise.all([startFakeUpstream(), startFakeUpstream()]);
    gateway = await startGateway({ config: configOf(first) });
    key = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([first.stop(), second.stop()]);
  });

  function configOf(upstream: FakeUpstream, more = ''): string {
    return `providers: { local: { type: openai, base_url: "${upstream.url}/v1" } }
models:
  - { id: fast, deployments: [{ provider: local, model: "echo?delay=5" }] }
  - { id: long, deployments: [{ provider: local, model: "words?count=60&delay=50" }] }
${more}`;
  }
  function write(text: string): void {
    writeFileSync(join(gateway.dataDirectory, 'gateway.yaml'), text);
  }
  const reloads = (): number => gateway.logs().split('"msg":"configuration reloaded"').length - 1;

  /** Writes the file and signals the process, as an operator would. */
  async function reload(text: string): Promise<void> {
    const before = reloads();
    write(text);
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => reloads() > before);
  }

  it('takes over a valid file under load without a failed request or a broken stream', async () => {
    const stream = askAt(gateway.url, key, 'long', { stream: true });
    await until(async () => (await first.requests()).length > 0);
    const failures: string[] = [];
    let answered = 0;
    let isLoading = true;
    const load = Promise.all(
      Array.from({ length: 32 }, async (_, client) => {
        while (isLoading) {
          const { status, text } = await askAt(gateway.url, key, 'fast', { stream: client % 2 === 0 });
          answered += 1;
          if (status !== 200 || (client % 2 === 0 && !text.includes('[DONE]'))) failures.push(text);
        }
      }),
    );
    for (let round = 1; round <= 8; round += 1) {
      await reload(configOf(round % 2 === 1 ? second : first));
      await until(() => answered >= round * 150);
    }
    isLoading = false;
    await load;
    const whole = await stream;
    expect(whole.text).toContain('[DONE]');
    expect(failures).toEqual([]);
    expect((await second.requests()).length).toBeGreaterThan(0);
    console.info(
      `8 reloads under load: ${answered} requests answered, ${failures.length} failed, a stream of 3 s whole`,
    );
    await reload(configOf(second));
    // The first provider is no longer used, so its connections are closed.
    await until(async () => (await first.openSockets()) === 0);
  });

  it('notices a changed file by itself, and what has to wait for a restart', async () => {
    const before = reloads();
    write(
      configOf(
        second,
        '  - { id: new, deployments: [{ provider: local, model: echo }] }\nstreaming: { keep_alive: 1s }\n',
      ),
    );
    await until(() => reloads() > before);
    expect((await askAt(gateway.url, key, 'new')).status).toBe(200);
    await until(() => gateway.logs().includes('"settings":["streaming.keepAlive"]'));
    await reload(configOf(second));
    expect((await askAt(gateway.url, key, 'new')).status).toBe(404);
  });

  it('refuses an invalid file with its faults and keeps the old one', async () => {
    write(configOf(second, '  - { id: broken, deployments: [{ provider: nowhere, model: x }] }\n'));
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => gateway.logs().includes('the old one stays in force'));
    expect(gateway.logs()).toContain("there is no provider 'nowhere'");
    expect((await askAt(gateway.url, key, 'fast')).status).toBe(200);
  });
});
