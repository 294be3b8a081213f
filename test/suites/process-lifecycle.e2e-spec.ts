import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { countStatuses, type GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { gatewayYaml, model, openAiAt, type GatewayFile } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { childrenOf, isRunning, logLines, withMostDescriptors } from '../fixtures/processes.js';
import { until } from '../fixtures/until.js';

const COUNT = 3;
/** Between two requests of a client: clients that never pause would leave the machine no time to start a process. */
const PAUSE_MS = 150;

// How processes start and end does not depend on the database, and takes a minute to see; what they share is tested on both.
(isPostgresRun ? describe.skip : describe)(`${COUNT} processes through their ends`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;

  const configFor = (...more: NonNullable<GatewayFile['models']>): GatewayFile => ({
    providers: { local: openAiAt(upstream) },
    server: { drain_timeout: '60s' },
    models: [
      model('free', 'local/echo'),
      model('long', 'local/echo?delay=150'),
      model('slow', 'local/echo?delay=1500'),
      ...more,
    ],
  });
  const writeConfig = (text: string): void => writeFileSync(join(gateway.dataDirectory, 'gateway.yaml'), text);
  const chat = (key: string, fields: object): Promise<GatewayResponse<object>> =>
    gateway.client(key).chat({ max_tokens: 10, ...fields });

  const startAll = (): Promise<RunningGateway> =>
    startGateway({ config: configFor(), env: { GATEWAY_PROCESSES: String(COUNT) } });

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startAll();
  });
  beforeEach(async () => {
    await upstream.reset();
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  /** A stream that takes 150 ms a word; rejects when the connection breaks. */
  function stream(key: string, words: number): Promise<GatewayResponse<object>> {
    const content = Array.from({ length: words }, (_, index) => `w${index}`).join(' ');
    return chat(key, { model: 'long', stream: true, max_tokens: 1_000, messages: [{ role: 'user', content }] });
  }

  /** Clients that send one request after the other until they are stopped; returns the failures. */
  function load(key: string, clients: number): () => Promise<{ requests: number; failures: string[] }> {
    let isOn = true;
    let requests = 0;
    const failures: string[] = [];
    const run = async (): Promise<void> => {
      while (isOn && failures.length < 100) {
        requests += 1;
        try {
          const { status, text } = await chat(key, { model: 'free', stream: requests % 2 === 0 });
          if (status !== 200) failures.push(`${status} ${text}`);
        } catch (error) {
          failures.push(String(error));
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
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
    let broken = 0;
    let completed = 0;
    const held = Array.from({ length: 30 }, () =>
      stream(narrow, 100).then(
        (end) => {
          completed += 1;
          return end;
        },
        () => {
          broken += 1;
          return undefined;
        },
      ),
    );
    await until(async () => (await upstream.requests()).length === 30);
    expect((await chat(narrow, { model: 'free' })).status).toBe(429);
    // The system gives connections to processes as it likes; this one has some of the streams.
    const victim = withMostDescriptors(childrenOf(gateway.pid));
    const stop = load(key, 8);
    process.kill(victim, 'SIGKILL');
    const asks = async (): Promise<number> => (await chat(narrow, { model: 'free' })).status;
    await until(async () => (await asks().catch(() => 0)) === 200);
    const freed = broken;
    const more = countStatuses(await Promise.all(Array.from({ length: 30 }, () => chat(narrow, { model: 'slow' }))));
    // Every slot of a broken stream is free; those of streams that have run throughout are not.
    expect(more[200]).toBeGreaterThanOrEqual(freed);
    expect(more[200]).toBeLessThanOrEqual(broken + completed);
    expect((more[200] ?? 0) + (more[429] ?? 0)).toBe(30);
    const servings = (): number => logLines(gateway).filter(({ msg }) => msg === 'a process serves').length;
    await until(() => servings() === COUNT + 1);
    expect(childrenOf(gateway.pid)).toHaveLength(COUNT);
    expect(childrenOf(gateway.pid)).not.toContain(victim);
    const { requests, failures } = await stop();
    console.info(`a SIGKILL under 8 clients: ${failures.length} of ${requests} requests failed`);
    // A client had at most one request in flight, and fetches no second connection to a process that is gone.
    expect(failures.length).toBeLessThanOrEqual(8);
    const after = load(key, 16);
    const whole = (await Promise.all(held)).filter((end) => end?.text.includes('data: [DONE]'));
    expect((await after()).failures).toEqual([]);
    expect(whole).toHaveLength(30 - broken);
    expect(broken).toBeGreaterThan(0);
  });

  it('SIGHUP replaces them one by one under 32 clients and a stream of 3 s, and no request fails', async () => {
    const key = await gateway.apiKey();
    const before = childrenOf(gateway.pid);
    const stop = load(key, 32);
    const long = stream(key, 20);
    await until(async () => (await upstream.requests()).some(({ model }) => model === 'echo?delay=150'));
    writeConfig(gatewayYaml(configFor(model('fresh', 'local/echo'))));
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
    expect((await chat(key, { model: 'fresh' })).status).toBe(200);
  });

  it('SIGHUP with a configuration that is wrong changes nothing', async () => {
    const key = await gateway.apiKey();
    const before = childrenOf(gateway.pid);
    writeConfig(`${gatewayYaml(configFor())}modells: []\n`);
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => logLines(gateway).some(({ pid, msg }) => pid === gateway.pid && String(msg).includes('refused')));
    expect(JSON.stringify(logLines(gateway))).toContain('modells');
    expect(childrenOf(gateway.pid)).toEqual(before);
    expect((await chat(key, { model: 'free' })).status).toBe(200);
  });

  it('SIGTERM drains all of them: streams end whole, code 0, and no process is left', async () => {
    const key = await gateway.apiKey();
    const workers = childrenOf(gateway.pid);
    const streams = Array.from({ length: 9 }, () => stream(key, 8));
    await until(async () => (await upstream.requests()).length === 9);
    const stopped = gateway.stop();
    const ends = await Promise.all(streams);
    expect(ends.filter(({ text }) => text.includes('data: [DONE]'))).toHaveLength(9);
    const { code, milliseconds } = await stopped;
    console.info(`SIGTERM: ended in ${milliseconds.toFixed(0)} ms`);
    expect(code).toBe(0);
    expect(workers.filter(isRunning)).toEqual([]);
  });

  it('SIGKILL of the primary ends all of them, streams first, and frees the port', async () => {
    await gateway.stop();
    gateway = await startAll();
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
