import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { atTheSameTime } from '../fixtures/at-the-same-time.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { childrenOf, Client, isRunning, logLines, statuses, type Answer } from '../fixtures/processes.js';
import { until } from '../fixtures/until.js';

const COUNT = 3;
/** Half of what a process that is replaced keeps idle connections for. */
const LONGEST_IDLE_MS = 500;

// How processes start and end does not depend on the database, and takes a minute to see; what they share is tested on both.
(isPostgresRun ? describe.skip : describe)(`${COUNT} processes through their ends`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let client: Client;

  const configFor = (models: string): string => `providers: { local: { type: openai, base_url: "${upstream.url}/v1" } }
server: { drain_timeout: 60s }
models:
  - { id: free, deployments: [{ provider: local, model: echo }] }
  - { id: long, deployments: [{ provider: local, model: "echo?delay=150" }] }
  - { id: held, deployments: [{ provider: local, model: "echo?gate" }] }
${models}`;

  // A start of three processes takes longer than any of these tests: they share one, in this order, up to its end.
  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await start();
    client = new Client(() => gateway);
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await client.close();
    await gateway.stop();
    await upstream.stop();
  });

  const start = (): Promise<RunningGateway> =>
    startGateway({ config: configFor(''), env: { GATEWAY_PROCESSES: String(COUNT) } });

  /** A stream that takes 150 ms a word; rejects when the connection breaks. */
  function stream(key: string, words: number, signal?: AbortSignal): Promise<Answer> {
    const content = Array.from({ length: words }, (_, index) => `w${index}`).join(' ');
    const fields = { model: 'long', stream: true, max_tokens: 1_000, messages: [{ role: 'user', content }] };
    return client.chat(key, fields, {}, signal);
  }

  /** Clients that send one request after the other until they are stopped; returns the failures. */
  function load(key: string, clients: number): () => Promise<{ requests: number; failures: string[] }> {
    let isOn = true;
    let requests = 0;
    const failures: string[] = [];
    const run = async (): Promise<void> => {
      let own = new Client(() => gateway, 1);
      let usedAt = performance.now();
      while (isOn && failures.length < 100) {
        requests += 1;
        // A server may end a connection that has been idle, and a request that is on its way then is lost, as HTTP has it.
        if (performance.now() - usedAt > LONGEST_IDLE_MS) {
          await own.close();
          own = new Client(() => gateway, 1);
        }
        try {
          const { status, text } = await own.chat(key, { model: 'free', stream: requests % 2 === 0 });
          if (status !== 200) failures.push(`${status} ${text}`);
        } catch (error) {
          failures.push(String(error));
        }
        usedAt = performance.now();
        // Clients that never pause would leave the machine no time to start a process.
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      await own.close();
    };
    const running = Array.from({ length: clients }, run);
    return async () => {
      isOn = false;
      await Promise.all(running);
      return { requests, failures };
    };
  }

  it('one is SIGKILLed under load: the others serve on, it comes back, and its places are free again', async () => {
    const key = await gateway.apiKey();
    const narrow = await gateway.apiKey({ limits: { concurrency: 30 } });
    const [victim] = childrenOf(gateway.pid);
    // More words than this test can take; what is left of them is abandoned.
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    let broken = 0;
    const held = Array.from({ length: 30 }, () =>
      stream(narrow, 2_000, leaving.signal).catch(() => {
        if (!leaving.signal.aborted) broken += 1;
      }),
    );
    await until(async () => (await upstream.requests()).length === 30);
    expect((await client.chat(narrow, { model: 'free' })).status).toBe(429);
    const stop = load(key, 8);
    process.kill(victim ?? 0, 'SIGKILL');
    const asks = async (): Promise<number> => (await client.chat(narrow, { model: 'free' })).status;
    await until(async () => (await asks().catch(() => 0)) === 200);
    // Every slot of a broken stream is free; those of the streams of the other processes are not.
    const running = async (): Promise<number> =>
      (await upstream.requests()).filter(({ model, closedAt }) => model?.includes('delay') && closedAt === null).length;
    await until(async () => broken > 0 && (await running()) === 30 - broken);
    const send = (): Promise<Answer>[] => Array.from({ length: 30 }, () => client.chat(narrow, { model: 'held' }));
    expect(statuses(await atTheSameTime(upstream, send))).toEqual({ 200: broken, 429: 30 - broken });
    const servings = (): number => logLines(gateway).filter(({ msg }) => msg === 'a process serves').length;
    await until(() => servings() === COUNT + 1);
    await until(() => childrenOf(gateway.pid).length === COUNT);
    expect(childrenOf(gateway.pid)).not.toContain(victim);
    const { requests, failures } = await stop();
    console.info(`a SIGKILL under 8 clients: ${failures.length} of ${requests} requests failed`);
    // A client had at most one request in flight, and fetches no second connection to a process that is gone.
    expect(failures.length).toBeLessThanOrEqual(8);
    const after = load(key, 16);
    await until(async () => (await upstream.requests()).length > requests + 200);
    expect((await after()).failures).toEqual([]);
    leaving.abort();
    await Promise.all(held);
    expect(broken).toBeLessThan(30);
  });

  it('SIGHUP replaces them one by one under 32 clients and a stream of 3 s, and no request fails', async () => {
    const key = await gateway.apiKey();
    const before = childrenOf(gateway.pid);
    const stop = load(key, 32);
    const long = stream(key, 20);
    await until(async () => (await upstream.requests()).some(({ model }) => model === 'echo?delay=150'));
    writeFileSync(
      join(gateway.dataDirectory, 'gateway.yaml'),
      configFor('  - { id: fresh, deployments: [{ provider: local, model: echo }] }'),
    );
    process.kill(gateway.pid, 'SIGHUP');
    const { status, text } = await long;
    expect(status).toBe(200);
    expect(text).toContain('data: [DONE]');
    await until(() => gateway.logs().includes('all processes have been replaced'));
    const { requests, failures } = await stop();
    console.info(`SIGHUP under 32 clients: ${failures.length} of ${requests} requests failed`);
    expect(failures).toEqual([]);
    const after = childrenOf(gateway.pid);
    expect(after).toHaveLength(COUNT);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect((await client.chat(key, { model: 'fresh' })).status).toBe(200);
  });

  it('SIGHUP with a configuration that is wrong changes nothing', async () => {
    const key = await gateway.apiKey();
    const before = childrenOf(gateway.pid);
    writeFileSync(join(gateway.dataDirectory, 'gateway.yaml'), configFor('modells: []'));
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => logLines(gateway).some(({ pid, msg }) => pid === gateway.pid && String(msg).includes('refused')));
    expect(JSON.stringify(logLines(gateway))).toContain('modells');
    expect(childrenOf(gateway.pid)).toEqual(before);
    expect((await client.chat(key, { model: 'free' })).status).toBe(200);
    writeFileSync(join(gateway.dataDirectory, 'gateway.yaml'), configFor(''));
  });

  it('SIGTERM drains all of them: streams end whole, code 0, and no process is left', async () => {
    const key = await gateway.apiKey();
    const workers = childrenOf(gateway.pid);
    const streams = Array.from({ length: 9 }, () => stream(key, 8));
    await until(async () => (await upstream.requests()).length === 9);
    const stopped = gateway.stop();
    const ends = await Promise.all(streams);
    expect(ends.filter(({ text }) => text.includes('data: [DONE]'))).toHaveLength(9);
    expect((await stopped).code).toBe(0);
    expect(workers.filter(isRunning)).toEqual([]);
  });

  it('SIGKILL of the primary ends all of them, streams first, and frees the port', async () => {
    gateway = await start();
    const key = await gateway.apiKey();
    const workers = childrenOf(gateway.pid);
    expect(workers).toHaveLength(COUNT);
    const open = stream(key, 8);
    await until(async () => (await upstream.requests()).length === 1);
    process.kill(gateway.pid, 'SIGKILL');
    expect((await open).text).toContain('data: [DONE]');
    await until(() => !workers.some(isRunning));
    await expect(fetch(`${gateway.url}/health`)).rejects.toThrow();
  });
});
