import { readFileSync } from 'node:fs';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { LASTING_BREAKER, model, openAiAt, price, UNREACHABLE } from '../fixtures/gateway-config.js';
import { parseMetrics, type MetricFamily } from '../clients/parse-metrics.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';

const RANDOM_NAMES = 5_000;

describe('metrics', () => {
  let upstream: FakeUpstream;
  let redis: RedisServer | undefined;
  let gateway: RunningGateway;
  let client: GatewayClient;
  let url: string;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    if (isPostgresRun) redis = await startRedis();
    gateway = await startGateway({
      env: { METRICS_PORT: '0', LOG_LEVEL: 'info', ...(redis !== undefined && { REDIS_URL: redis.url }) },
      config: {
        health: LASTING_BREAKER,
        providers: { fake: openAiAt(upstream), broken: UNREACHABLE },
        sandbox: true,
        models: [
          model('fast', 'fake/echo', { aliases: ['quick'], price: price(1_000_000, 2_000_000) }),
          model('shaky', ['broken/a', 'fake/echo'], { strategy: 'priority' }),
          model('lost', 'broken/b', { fallbacks: ['fast'] }),
          model('any/*', 'fake/*'),
          model('quo"te\\d', 'fake/echo'),
        ],
      },
    });
    client = await gateway.newClient();
    url = /"url":"(http:\/\/[^"]+\/metrics)"/.exec(gateway.logs())?.[1] ?? 'not served';
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
    await redis?.stop();
  });

  const chat = async (id: string, fields: object = {}): Promise<number> =>
    (await client.chat({ model: id, ...fields })).status;

  async function scrape(): Promise<Map<string, MetricFamily>> {
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return parseMetrics(await response.text());
  }

  function value(families: Map<string, MetricFamily>, name: string, labels: Record<string, string> = {}): number {
    return [...families.values()]
      .flatMap(({ samples }) => samples)
      .filter((sample) => sample.name === name)
      .filter((sample) => Object.entries(labels).every(([label, text]) => sample.labels[label] === text))
      .reduce((sum, sample) => sum + sample.value, 0);
  }

  it('count requests, tries, tokens, cost and times, in a format that a strict parser takes', async () => {
    expect(await chat('fast')).toBe(200);
    expect(await chat('quick', { stream: true })).toBe(200);
    expect(await chat('shaky')).toBe(200);
    expect(await chat('lost')).toBe(200);
    expect(await chat('any/status-500')).toBe(502);
    expect(await chat('quo"te\\d')).toBe(200);
    expect(await chat('nowhere')).toBe(404);
    expect(await chat('fast', { temperature: 9 })).toBe(400);
    const metrics = await scrape();
    const read = (name: string, labels?: Record<string, string>): number => value(metrics, name, labels);
    const fast = { operation: 'chat', model: 'fast', provider: 'fake', source: 'live', status: 'succeeded' };
    expect(read('gateway_requests_total', { ...fast, code: '' })).toBe(2);
    expect(read('gateway_requests_total', { model: 'other', provider: 'none', code: 'model_not_found' })).toBe(1);
    expect(read('gateway_requests_total', { model: 'quo"te\\d' })).toBe(1);
    expect(read('gateway_requests_total', { model: 'any/*', status: 'failed', code: 'upstream_error' })).toBe(1);
    expect(
      read('gateway_attempts_total', { operation: 'chat', model: 'shaky', provider: 'broken', outcome: 'failed' }),
    ).toBe(1);
    expect(read('gateway_attempts_total', { model: 'shaky', provider: 'fake', outcome: 'succeeded' })).toBe(1);
    expect(read('gateway_retries_total', { model: 'shaky' })).toBe(1);
    expect(read('gateway_fallbacks_total', { operation: 'chat', model: 'lost', fallback: 'fast' })).toBe(1);
    const prompt = read('gateway_tokens_total', { model: 'fast', kind: 'prompt' });
    const completion = read('gateway_tokens_total', { model: 'fast', kind: 'completion' });
    expect(prompt).toBeGreaterThan(0);
    expect(read('gateway_cost_dollars_total', { model: 'fast' })).toBe(prompt + 2 * completion);
    expect(read('gateway_unpriced_requests_total', { model: 'shaky' })).toBe(1);
    expect(read('gateway_time_to_first_token_seconds_count', { model: 'fast' })).toBe(1);
    expect(read('gateway_request_duration_seconds_count', { model: 'fast' })).toBe(2);
    expect(read('gateway_errors_total', { code: 'model_not_found' })).toBe(1);
    expect(read('gateway_http_requests_total', { route: '/v1/chat/completions', status: '404' })).toBe(1);
    expect(read('gateway_breaker_state')).toBe(0);
    expect(metrics.get('gateway_breaker_state')?.samples.map(({ labels }) => labels['deployment'])).toEqual([
      'fake/echo',
      'broken/a',
      'broken/b',
    ]);
    expect(read('gateway_database_query_duration_seconds_count', { result: 'ok' })).toBeGreaterThan(0);
    expect(read('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    if (isPostgresRun) {
      expect(read('gateway_redis_up')).toBe(1);
      expect(read('gateway_redis_latency_seconds')).toBeGreaterThan(0);
      expect(read('gateway_database_connections')).toBeGreaterThan(0);
    }
  });

  it('open a breaker for all to see', async () => {
    for (let call = 0; call < 5; call += 1) await chat('lost');
    expect(value(await scrape(), 'gateway_breaker_state', { deployment: 'broken/b', provider: 'broken' })).toBe(2);
  });

  (isPostgresRun ? it.skip : it)(`have no more series after ${RANDOM_NAMES} names that clients made up`, async () => {
    await chat('made-up');
    await chat('sandbox/echo');
    await chat('sandbox/made-up');
    await chat('any/x');
    await gateway.client('').get('/v1/made-up');
    await client.get('/v1/models/made-up');
    const count = async (): Promise<number> =>
      [...(await scrape()).values()]
        .filter(({ name }) => name.startsWith('gateway_'))
        .reduce((sum, { samples }) => sum + samples.length, 0);
    const before = await count();
    const names = Array.from({ length: RANDOM_NAMES }, () => Math.random().toString(36).slice(2));
    const send = async (name: string, at: number): Promise<void> => {
      if (at % 5 === 0) await chat(name);
      else if (at % 5 === 1) await chat(`sandbox/${name}`);
      else if (at % 5 === 2) await chat(`any/${name}`);
      else if (at % 5 === 3) await gateway.client('').get(`/v1/${name}?${name}=${name}`);
      else await client.get(`/v1/models/${name}`);
    };
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name, offset) => send(name, at + offset)));
    }
    expect(await count()).toBe(before);
  });

  it('need an admin key on the gateway’s own port', async () => {
    expect((await client.get('/metrics')).status).toBe(403);
    expect((await gateway.admin.metrics()).has('gateway_requests_total')).toBe(true);
    expect((await fetch(url.replace('/metrics', '/v1/models'))).status).toBe(404);
  });

  it('have every name that the dashboard and the alerts ask for', async () => {
    const metrics = await scrape();
    const folder = new URL('../../deploy/', import.meta.url);
    const dashboard = readFileSync(new URL('grafana/llm-gateway.json', folder), 'utf8');
    const alerts = readFileSync(new URL('prometheus/alerts.yaml', folder), 'utf8');
    const expressions = [
      ...[...dashboard.matchAll(/"(?:expr|query|definition)": "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text),
      ...[...alerts.matchAll(/^\s+(?:expr: .*|expr: >-\n(?:\s{10,}.*\n)+)/gm)].map(([text]) => text),
    ];
    expect(expressions.length).toBeGreaterThan(20);
    const asked = new Set(
      expressions.flatMap((text) => text.match(/\b(?:gateway|process|nodejs)_[a-z0-9_]+(?=[{[)\s]|$)/g) ?? []),
    );
    const known = new Set(
      [...metrics.values()].flatMap(({ name, type }) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    // Only where there is Redis, PostgreSQL, or several processes.
    for (const [name, file] of [
      ['gateway_redis_up', 'batch/queue/redis-metrics.ts'],
      ['gateway_redis_latency_seconds', 'batch/queue/redis-metrics.ts'],
      ['gateway_database_connections', 'telemetry/database-metrics.ts'],
      ['gateway_process_restarts_total', 'cluster/supervisor.ts'],
    ] as const) {
      expect(readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8')).toContain(`'${name}'`);
      known.add(name);
    }
    expect([...asked].filter((name) => !known.has(name))).toEqual([]);
    expect(asked.size).toBeGreaterThan(20);
  });
});
