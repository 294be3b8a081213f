import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { LASTING_BREAKER, model, openAiAt } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const MEGABYTE = 1_048_576;

interface Times {
  readonly p50: number;
  readonly p99: number;
}

/** What providers offer without end: far more than what the gateway may keep of it. */
const OFFERED_MB = 1_024;
const CONNECT_TIMEOUT_MS = 60_000;

interface Received {
  readonly status: number;
  readonly text: string;
  readonly took: number;
}

/** The rows of the fault table that are measured: each prints its figure. No database has a part in them, so once is enough. */
(isPostgresRun ? describe.skip : describe)('faults of providers, by their figures', () => {
  let first: FakeUpstream;
  let second: FakeUpstream;
  let gateway: RunningGateway;
  let key: string;
  const broken = createTlsServer({}, () => undefined);

  beforeAll(async () => {
    [first, second] = await Promise.all([startFakeUpstream(), startFakeUpstream()]);
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    const timeouts = { connect: '500ms', first_byte: '30s', idle: '2s' };
    gateway = await startGateway({
      config: {
        health: LASTING_BREAKER,
        providers: {
          first: openAiAt(first),
          second: openAiAt(second),
          tls: openAiAt({ url: `https://127.0.0.1:${(broken.address() as AddressInfo).port}` }),
        },
        models: [
          model('tls-alone', 'tls/x', { timeouts: { connect: `${CONNECT_TIMEOUT_MS}ms` } }),
          model('tls', ['tls/x', 'second/echo'], { strategy: 'priority' }),
          model('storm', 'first/status-500'),
          model('calm', 'second/echo?delay=2'),
          model('limited', 'first/status?code=429&retry-after=1'),
          model('endless', `first/endless?mb=${OFFERED_MB}`, { timeouts }),
          model('endless-event', `first/endless?mb=${OFFERED_MB}&kind=event`, { timeouts }),
          model('endless-comments', `first/endless?mb=${OFFERED_MB}&kind=comments`, { timeouts }),
          model('bomb', `first/bomb?mb=${OFFERED_MB}`, { timeouts }),
          model('huge-event', 'first/huge-event?mb=2'),
          model('long', 'first/endless?mb=64&chunk=4000', { timeouts: { idle: '90s' } }),
        ],
      },
    });
    key = await gateway.apiKey();
    await Promise.all(Array.from({ length: 50 }, () => ask('calm', true)));
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([first.stop(), second.stop()]);
    broken.closeAllConnections();
    await new Promise((resolve) => broken.close(resolve));
  });

  async function ask(id: string, stream: boolean): Promise<Received> {
    const started = performance.now();
    const messages = [{ role: 'user', content: 'still here' }];
    const { status, pieces } = await gateway.client(key).openChat({ model: id, stream, messages });
    // A body that is too long to keep is read and dropped, but its end decides.
    let text = '';
    for await (const piece of pieces) text = (text + piece).slice(-100_000);
    return { status, text, took: performance.now() - started };
  }

  /** Resident memory of the gateway in bytes. */
  function resident(): number {
    const [, pages = '0'] = readFileSync(`/proc/${gateway.pid}/statm`, 'utf8').split(' ');
    return Number(pages) * 4_096;
  }

  /** The most that memory grew by while `work` ran. */
  async function growthDuring(work: () => Promise<void>): Promise<number> {
    const before = resident();
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, resident())), 5);
    try {
      await work();
    } finally {
      clearInterval(watch);
    }
    return Math.max(most, resident()) - before;
  }

  function print(row: string, figure: string): void {
    process.stdout.write(`    figure: ${row}: ${figure}\n`);
  }

  it('a TLS failure moves on to the next deployment, or is a 502 in time', async () => {
    for (const stream of [false, true]) {
      expect((await ask('tls', stream)).status).toBe(200);
      const failed = await ask('tls-alone', stream);
      expect(failed.status).toBe(502);
      // The handshake fails by what the server sends, not by a timeout.
      expect(failed.took).toBeLessThan(CONNECT_TIMEOUT_MS);
      print(`TLS failure (${stream ? 'stream' : 'plain'})`, `502 after ${failed.took.toFixed(0)} ms`);
    }
  });

  it.each([
    ['endless', false, 502],
    ['endless', true, 'cut'],
    ['endless-event', true, 502],
    ['endless-comments', true, 'any'],
    ['bomb', false, 502],
    ['bomb', true, 502],
  ] as const)('%s (stream: %s) is cut at the cap, and memory does not grow with it', async (model, stream, outcome) => {
    let response: Received | undefined;
    const growth = await growthDuring(async () => {
      response = await ask(model, stream);
    });
    if (outcome === 502) expect(response?.status).toBe(502);
    else if (outcome === 'cut') {
      expect(response?.status).toBe(200);
      expect(response?.text).toMatch(/data: \{"error":[^\n]*\n\n$/);
    }
    expect(response?.text).not.toContain('[DONE]');
    print(
      `${model} (${stream ? 'stream' : 'plain'})`,
      `${response?.status}, ${(response?.took ?? 0).toFixed(0)} ms, RSS +${(growth / MEGABYTE).toFixed(0)} MB`,
    );
    // Decoding one answer of the cap of 32 MB takes about three times the cap at its peak, and more before V8 collects it.
    expect(growth).toBeLessThan((OFFERED_MB * MEGABYTE) / 3);
  });

  it('passes an event of over 1 MB on whole', async () => {
    const { status, text } = await ask('huge-event', true);
    expect(status).toBe(200);
    expect(text).toContain('[DONE]');
  });

  it('100 clients that read 1 KB/s hold the provider back instead of filling memory', async () => {
    await first.reset();
    const body = JSON.stringify({ model: 'long', stream: true, messages: [{ role: 'user', content: 'a' }] });
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
    const { port, hostname } = new URL(gateway.url);
    let received = 0;
    const growth = await growthDuring(async () => {
      const sockets = Array.from({ length: 100 }, () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.write(head + body);
        socket.pause();
        return socket;
      });
      const reading = setInterval(() => {
        for (const socket of sockets)
          received += (socket.read(Math.min(1_024, socket.readableLength)) as Buffer | null)?.length ?? 0;
      }, 1_000);
      await until(
        async () => (await first.requests()).filter(({ model }) => model?.startsWith('endless')).length >= 100,
      );
      const before = received;
      await until(() => received > before + 200_000);
      clearInterval(reading);
      for (const socket of sockets) socket.destroy();
    });
    await until(async () => (await first.openSockets()) <= 1);
    print('100 readers of 1 KB/s', `RSS +${(growth / MEGABYTE).toFixed(0)} MB`);
    // 6,400 MB were offered. Most of the growth is what V8 has not collected yet; docs/routing.md has the figures.
    expect(growth).toBeLessThan((6_400 * MEGABYTE) / 6);
  });

  it('a storm of 5xx opens the breaker, and the other models answer all requests in comparable time', async () => {
    async function timesOfOthers(withStorm: boolean): Promise<Times> {
      let isOver = false;
      const storm = withStorm
        ? Promise.all(
            Array.from({ length: 8 }, async () => {
              while (!isOver) await ask('storm', false);
            }),
          )
        : undefined;
      const times: number[] = [];
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let round = 0; round < 75; round += 1) {
            const { status, took } = await ask('calm', round % 2 === 0);
            expect(status).toBe(200);
            times.push(took);
          }
        }),
      );
      isOver = true;
      await storm;
      times.sort((one, other) => one - other);
      return { p50: times[times.length >> 1] ?? 0, p99: times[Math.floor(times.length * 0.99)] ?? 0 };
    }
    const rounds: [Times, Times][] = [];
    for (let round = 0; round < 3; round += 1) rounds.push([await timesOfOthers(false), await timesOfOthers(true)]);
    const ratios = rounds.map(([calm, storm]) => storm.p50 / calm.p50).sort((one, other) => one - other);
    const deployments = await gateway.admin.deployments();
    expect(deployments.find(({ id }) => id === 'first/status-500')).toMatchObject({ breaker: 'open' });
    print(
      'storm of 5xx',
      `p99 of other models ${rounds.map(([calm, storm]) => `${calm.p99.toFixed(1)} -> ${storm.p99.toFixed(1)} ms`).join(', ')}; ratio of medians ${ratios[1]?.toFixed(2)}`,
    );
    // Eight clients that ask without a pause take their part of the processors.
    // A storm that held the others up would make them wait for timeouts, a thousand times as long.
    expect(ratios[1]).toBeLessThan(20);
  });

  it('200 clients on a provider that asks for a pause: nothing early, no more than 1.2 times the calls', async () => {
    await first.reset();
    let offered = 0;
    let slowest = 0;
    const ends = performance.now() + 4_000;
    await Promise.all(
      Array.from({ length: 200 }, async (_, client) => {
        while (performance.now() < ends) {
          const { status, took } = await ask('limited', client % 2 === 0);
          expect(status).toBe(429);
          slowest = Math.max(slowest, took);
          offered += 1;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }),
    );
    const calls = (await first.requests())
      .filter(({ model }) => model?.startsWith('status?code=429'))
      .map(({ startedAt }) => startedAt);
    // All calls in flight at the first refusal are one wave; the next follows when the pause is over.
    const waves = calls
      .sort((one, other) => one - other)
      .reduce<number[]>((sum, at) => (at - (sum.at(-1) ?? 0) > Math.max(500, slowest) ? [...sum, at] : sum), []);
    const pauses = waves.slice(1).map((at, index) => at - (waves[index] ?? 0));
    print(
      '429 with Retry-After 1',
      `${offered} offered, ${calls.length} sent in ${waves.length} waves, shortest pause ${Math.min(...pauses)} ms`,
    );
    expect(calls.length).toBeLessThanOrEqual(offered * 1.2);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(990);
  });
});
