import { execFileSync } from 'node:child_process';
import { startGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startPostgres } from '../fixtures/postgres-server.mjs';
import { until } from '../fixtures/until.js';

/** The processes of a server: the one that spawned it may be `runuser`. */
function processesOf(pid: number): number[] {
  const all = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (const parent of found) found.push(...all.filter(([, of]) => of === parent).map(([child]) => child));
  return found;
}

(isPostgresRun ? describe : describe.skip)('a PostgreSQL that is frozen', () => {
  it('delays no cached key, refuses others with a 503 in time, blocks nothing forever, and recovers', async () => {
    const postgres = await startPostgres();
    const gateway = await startGateway({ config: 'sandbox: true\n', env: { DATABASE_URL: postgres.url } });
    const call = async (
      path: string,
      key: string,
      body?: object,
    ): Promise<{ status: number; took: number; retry: string | null }> => {
      const started = performance.now();
      const response = await fetch(`${gateway.url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      await response.text();
      const retry = response.headers.get('retry-after');
      return { status: response.status, took: performance.now() - started, retry };
    };
    const messages = [{ role: 'user', content: 'hi' }];
    const chat = (key: string): ReturnType<typeof call> =>
      call('/v1/chat/completions', key, { model: 'sandbox/echo', messages });
    const cached = await gateway.apiKey();
    const unknown = await gateway.apiKey();
    const revoked = await gateway.apiKey();
    expect((await chat(cached)).status).toBe(200);

    const frozen = processesOf(postgres.pid);
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    try {
      const frozenAt = performance.now();
      const others = Promise.all([
        chat(unknown),
        call('/v1/admin/keys', gateway.adminKey),
        call('/v1/admin/keys', gateway.adminKey, { name: 'x' }),
        call('/v1/batch/generate', cached, { model: 'sandbox/echo', tasks: ['x'] }),
      ]);
      const waits: number[] = [];
      // Longer than a cached key is fresh.
      while (performance.now() - frozenAt < 9_000) {
        const { status, took } = await chat(cached);
        expect(status).toBe(200);
        waits.push(took);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const refused = await others;
      expect(refused.map(({ status, retry }) => [status, retry])).toEqual(refused.map(() => [503, '1']));
      // A cached key waits for the database a moment at most, an unknown one as long as it may. One of ten may wait for a processor.
      const longest = waits.sort((one, other) => one - other)[Math.floor(waits.length * 0.9)]!;
      expect(longest).toBeLessThan(Math.min(...refused.map(({ took }) => took)) / 2);
      console.log(
        `frozen: nine of ten calls with a cached key take ${Math.round(longest)} ms at most, others ${refused.map(({ took }) => Math.round(took)).join(', ')} ms`,
      );
      expect((await call('/health/live', '')).status).toBe(200);
      expect((await call('/health/ready', '')).status).toBe(503);
    } finally {
      // Children first: a parent that finds them stopped stops itself again.
      for (const pid of [...frozen].reverse()) process.kill(pid, 'SIGCONT');
    }
    await until(async () => (await chat(unknown)).status === 200);
    await until(async () => (await call('/v1/admin/keys', gateway.adminKey, { name: 'after' })).status === 201);
    expect((await chat(revoked)).status).toBe(200);
    // All calls are accounted for: those of the time without the database too.
    const records = async (): Promise<number> => {
      const response = await fetch(`${gateway.url}/metrics`, {
        headers: { authorization: `Bearer ${gateway.adminKey}` },
      });
      return Number(/^gateway_usage_records_waiting (\d+)/m.exec(await response.text())?.[1]);
    };
    await until(async () => (await records()) === 0);
    expect((await gateway.stop()).code).toBe(0);
    await postgres.stop();
  });
});
