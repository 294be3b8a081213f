import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis } from '../fixtures/redis-server.js';
import { atTheSameTime } from '../fixtures/at-the-same-time.js';
import type { ChatCompletionDto } from '../../src/chat/chat-completion.dto.js';
import type { ModelListDto } from '../../src/models/models.dto.js';
import type { DeploymentDto } from '../../src/routing/deployments/deployments.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import {
  LASTING_BREAKER,
  gatewayYaml,
  model,
  openAiAt,
  UNREACHABLE,
  type GatewayFile,
} from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

/** What the slow model takes to answer: far longer than the timeout that a request asks for. */
const SLOW_MS = 600_000;

interface AskOptions {
  readonly key?: string;
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function askAt(
  gateway: RunningGateway,
  key: string,
  id: string,
  { stream = false, headers = {}, signal }: AskOptions = {},
): Promise<GatewayResponse<ChatCompletionDto>> {
  const messages = [{ role: 'user', content: 'still here' }];
  return gateway
    .client(key)
    .chat({ model: id, stream, messages }, { headers, ...(signal !== undefined && { signal }) });
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
      config: {
        providers: { local: openAiAt(upstream), refused: UNREACHABLE },
        expose: 'listed',
        models: [
          model('vendor/*', 'local/*'),
          model('vendor/tools', 'local/tools'),
          model('fast', 'local/echo', { aliases: ['gpt-4o'] }),
          model('down', 'refused/x', { fallbacks: ['fast'] }),
          model('slow', `local/echo?delay=${SLOW_MS}`),
          model('held', { at: 'local/echo?gate&held', concurrency: 4 }),
          model('narrow', { at: 'local/echo?gate&narrow', concurrency: 4 }, { queue: { size: 40, timeout: '60s' } }),
          model('closed', { at: 'local/echo?gate&closed', concurrency: 1 }, { queue: { size: 0 } }),
          model(
            'spills',
            { at: 'local/echo?gate&spills', concurrency: 1 },
            { queue: { size: 0 }, fallbacks: ['fast'] },
          ),
        ],
      },
    });
    key = await gateway.apiKey();
    trusted = await gateway.apiKey({ scopes: ['inference', 'routing'], allowed_models: ['down', 'slow', 'fast'] });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const ask = (id: string, options: AskOptions = {}): Promise<GatewayResponse<ChatCompletionDto>> =>
    askAt(gateway, options.key ?? key, id, options);

  it('reaches models by pattern and by alias, and lists both', async () => {
    const responses = await Promise.all(
      ['vendor/words?count=2', 'vendor/tools', 'gpt-4o', 'fast'].map((id) => ask(id)),
    );
    expect(responses.map(({ status, header }) => [status, header('x-gateway-model')])).toEqual([
      [200, 'vendor/words?count=2'],
      [200, 'vendor/tools'],
      [200, 'fast'],
      [200, 'fast'],
    ]);
    expect((await ask('local/echo')).status).toBe(404);
    expect((await ask('gpt-4')).text).toContain('Did you mean `gpt-4o`?');
    const { data } = await gateway.client(key).read<ModelListDto>('/v1/models');
    const ids = data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['vendor/echo', 'vendor/tools', 'vendor/words', 'fast', 'gpt-4o']));
    expect(ids).not.toContain('vendor/*');
    expect(ids.filter((id) => id === 'vendor/tools')).toHaveLength(1);
    const found = async (id: string): Promise<[number, unknown]> => {
      const { status, body } = await gateway.client(key).get(`/v1/models/${id}`);
      return [status, body['id']];
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

  it('serves a key by a fallback that it may not call, unless its rule or that of its group is within_allowed', async () => {
    const allowed_models = ['down'];
    const within = { allowed_models, fallbacks: 'within_allowed' };
    const outcome = async (own: string): Promise<unknown> => {
      const { status, body, header } = await ask('down', { key: own });
      return status === 200 ? header('x-gateway-model') : body.error?.code;
    };
    expect(await outcome(await gateway.apiKey({ allowed_models }))).toBe('fast');
    expect(await outcome(await gateway.apiKey({ allowed_models, fallbacks: 'any' }))).toBe('fast');
    expect(await outcome(await gateway.apiKey(within))).toBe('upstream_error');
    expect(await outcome(await gateway.apiKey({ ...within, allowed_models: ['down', 'fast'] }))).toBe('fast');
    // Null allows every model.
    expect(await outcome(await gateway.apiKey({ ...within, allowed_models: null }))).toBe('fast');

    const group = await gateway.admin.createGroup({ fallbacks: 'within_allowed' });
    expect(group).toMatchObject({ fallbacks: 'within_allowed' });
    const member = await gateway.admin.createKey({ allowed_models, group_id: group.id });
    expect(member).toMatchObject({ fallbacks: 'any' });
    expect(await outcome(member.key)).toBe('upstream_error');
    expect(await gateway.client(member.key).read('/v1/key')).toMatchObject({ fallbacks: 'within_allowed' });
    await gateway.admin.patch(`/v1/admin/groups/${group.id}`, { fallbacks: null });
    expect(await outcome(member.key)).toBe('fast');

    const { id } = await gateway.admin.createKey({ allowed_models });
    const changed = await gateway.admin.updateKey(id, { fallbacks: 'within_allowed' });
    expect(changed.body).toMatchObject({ fallbacks: 'within_allowed' });
    const wrong = await gateway.admin.updateKey(id, { fallbacks: 'none' });
    expect([wrong.status, wrong.body]).toMatchObject([400, { error: { param: 'fallbacks' } }]);
    const { keys } = await gateway.admin.read<{ keys: { id: string; fallbacks: string }[] }>('/v1/admin/keys/export');
    expect(keys.find((each) => each.id === id)).toMatchObject({ fallbacks: 'within_allowed' });
  });

  it('holds the rule for fallbacks over keys that a key makes and changes', async () => {
    const maker = await gateway.admin.createKey({
      scopes: ['inference', 'admin'],
      allowed_models: ['down'],
      fallbacks: 'within_allowed',
    });
    const client = gateway.client(maker.key);
    const made = await client.createKey({ allowed_models: ['down'] });
    expect((await ask('down', { key: made.key })).status).toBe(502);
    for (const refused of [
      await client.post('/v1/admin/keys', { name: 'x', allowed_models: ['down'], fallbacks: 'any' }),
      await client.updateKey(maker.id, { fallbacks: null }),
      await client.updateKey(made.id, { fallbacks: 'any' }),
    ]) {
      expect([refused.status, refused.body]).toMatchObject([403, { error: { param: 'fallbacks' } }]);
    }
  });

  it('takes fallbacks and timeout of a request from trusted keys alone', async () => {
    const none = { headers: { 'x-gateway-fallbacks': 'none' } };
    expect((await ask('down', none)).text).toContain("scope 'routing'");
    expect((await ask('down', { ...none, key: trusted })).status).toBe(502);
    const own = { key: trusted, headers: { 'x-gateway-fallbacks': 'slow, fast', 'x-gateway-timeout': '300ms' } };
    const late = await ask('down', own);
    expect([late.status, late.body]).toMatchObject([504, { error: { code: 'upstream_timeout' } }]);
    const foreign = await ask('down', { key: trusted, headers: { 'x-gateway-fallbacks': 'vendor/echo' } });
    expect(foreign.body).toMatchObject({ error: { code: 'model_not_allowed' } });
    const wrong = await ask('down', { key: trusted, headers: { 'x-gateway-timeout': 'soon' } });
    expect([wrong.status, wrong.body]).toMatchObject([400, { error: { param: 'x-gateway-timeout' } }]);
  });

  it('never has more calls in flight than a deployment takes; the others wait their turn', async () => {
    await upstream.reset();
    const send = (): Promise<GatewayResponse<ChatCompletionDto>>[] =>
      Array.from({ length: 40 }, (_, index) => ask('narrow', { stream: index % 2 === 0 }));
    const responses = await atTheSameTime(upstream, send, 36);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
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
        () => 'responded',
        () => 'left',
      ),
    );
    await until(async () => (await upstream.requests()).length === 4);
    leaving.abort();
    expect(new Set(await Promise.all(left))).toEqual(new Set(['left']));
    await upstream.openGate();
    expect((await ask('held')).status).toBe(200);
    expect((await gateway.admin.deployments()).find(({ id }) => id.endsWith('held'))).toMatchObject({
      in_flight: 0,
      waiting: 0,
      concurrency: 4,
    });
  });

  it('readiness names models that no deployment can answer for', async () => {
    for (let round = 0; round < 5; round += 1)
      await ask('down', { key: trusted, headers: { 'x-gateway-fallbacks': 'none' } });
    const ready = await gateway.client('').get('/health/ready');
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({ info: { models: { status: 'up', without_deployment: ['down'] } } });
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
    const gateway = await startGateway({ config: { discover: true, sandbox: true } });
    try {
      const { data } = await gateway.admin.read<ModelListDto>('/v1/models');
      const ids = data.map(({ id }) => id);
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
    const config = {
      health: LASTING_BREAKER,
      providers: { local: openAiAt(upstream) },
      models: [
        model('broken', ['local/status-500', 'local/echo'], { strategy: 'priority' }),
        model('limited', 'local/status?code=429&retry-after=600'),
      ],
    };
    const env = { REDIS_URL: redis.url, GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
    const first = await startGateway({ config, env });
    const second = await startGateway({ config, env, joins: first });
    const states = async ({ admin }: RunningGateway): Promise<Record<string, DeploymentDto>> =>
      Object.fromEntries((await admin.deployments()).map((each) => [each.id, each]));
    let third: RunningGateway | undefined;
    try {
      const started = performance.now();
      await askAt(first, first.adminKey, 'limited');
      for (let round = 0; round < 5; round += 1) await askAt(first, first.adminKey, 'broken');
      await until(async () => (await states(second))['local/status-500']?.breaker === 'open');
      await until(
        async () => ((await states(second))['local/status?code=429&retry-after=600']?.retry_in_ms ?? 0) > 20_000,
      );
      console.info(`shared after ${(performance.now() - started).toFixed(0)} ms`);
      const asked = (await upstream.requests()).length;
      expect((await askAt(second, first.adminKey, 'limited')).status).toBe(429);
      expect((await askAt(second, first.adminKey, 'broken')).header('x-gateway-attempts')).toBe('1');
      expect((await upstream.requests()).length).toBe(asked + 1);
      third = await startGateway({ config, env, joins: first });
      const late = third;
      await until(async () => (await states(late))['local/status-500']?.breaker === 'open');
      await redis.kill();
      expect((await askAt(second, first.adminKey, 'broken')).status).toBe(200);
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

  const configOf = (upstream: FakeUpstream, more: GatewayFile['models'] = []): GatewayFile => ({
    providers: { local: openAiAt(upstream) },
    models: [model('fast', 'local/echo?delay=5'), model('long', 'local/words?count=60&delay=50'), ...more],
  });
  function write(file: GatewayFile): void {
    writeFileSync(join(gateway.dataDirectory, 'gateway.yaml'), gatewayYaml(file));
  }
  const reloads = (): number => gateway.logs().split('"msg":"configuration reloaded"').length - 1;

  /** Writes the file and signals the process, as an operator would. */
  async function reload(file: GatewayFile): Promise<void> {
    const before = reloads();
    write(file);
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => reloads() > before);
  }

  it('takes over a valid file under load without a failed request or a broken stream', async () => {
    const stream = askAt(gateway, key, 'long', { stream: true });
    await until(async () => (await first.requests()).length > 0);
    const failures: string[] = [];
    let responded = 0;
    let isLoading = true;
    const load = Promise.all(
      Array.from({ length: 32 }, async (_, client) => {
        while (isLoading) {
          const { status, text } = await askAt(gateway, key, 'fast', { stream: client % 2 === 0 });
          responded += 1;
          if (status !== 200 || (client % 2 === 0 && !text.includes('[DONE]'))) failures.push(text);
        }
      }),
    );
    for (let round = 1; round <= 8; round += 1) {
      await reload(configOf(round % 2 === 1 ? second : first));
      await until(() => responded >= round * 150);
    }
    isLoading = false;
    await load;
    const whole = await stream;
    expect(whole.text).toContain('[DONE]');
    expect(failures).toEqual([]);
    expect((await second.requests()).length).toBeGreaterThan(0);
    console.info(
      `8 reloads under load: ${responded} requests responded, ${failures.length} failed, a stream of 3 s whole`,
    );
    await reload(configOf(second));
    // The first provider is no longer used, so its connections are closed.
    await until(async () => (await first.openSockets()) === 0);
  });

  it('notices a changed file by itself, and what has to wait for a restart', async () => {
    const before = reloads();
    write({ ...configOf(second, [model('new', 'local/echo')]), streaming: { keep_alive: '1s' } });
    await until(() => reloads() > before);
    expect((await askAt(gateway, key, 'new')).status).toBe(200);
    await until(() => gateway.logs().includes('"settings":["streaming.keepAlive"]'));
    await reload(configOf(second));
    expect((await askAt(gateway, key, 'new')).status).toBe(404);
  });

  it('refuses an invalid file with its faults and keeps the old one', async () => {
    write(configOf(second, [model('broken', 'nowhere/x')]));
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => gateway.logs().includes('the old one stays in force'));
    expect(gateway.logs()).toContain("there is no provider 'nowhere'");
    expect((await askAt(gateway, key, 'fast')).status).toBe(200);
  });
});
