import { execFileSync } from 'node:child_process';
import type { GatewayResponse } from '../clients/gateway-response.js';
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
    const gateway = await startGateway({ config: { sandbox: true }, env: { DATABASE_URL: postgres.url } });
    const chat = (key: string): Promise<GatewayResponse<object>> => gateway.client(key).chat();
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
        gateway.admin.get('/v1/admin/keys'),
        gateway.admin.post('/v1/admin/keys', { name: 'x' }),
        gateway.client(cached).post('/v1/batch/generate', { model: 'sandbox/echo', tasks: ['x'] }),
      ]);
      const waits: number[] = [];
      // Longer than a cached key is fresh.
      while (performance.now() - frozenAt < 9_000) {
        const { status, tookMs } = await chat(cached);
        expect(status).toBe(200);
        waits.push(tookMs);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const refused = await others;
      expect(refused.map(({ status, header }) => [status, header('retry-after')])).toEqual(
        refused.map(() => [503, '1']),
      );
      // A cached key waits for the database a moment at most, an unknown one as long as it may. One of ten may wait for a processor.
      const longest = waits.sort((one, other) => one - other)[Math.floor(waits.length * 0.9)]!;
      expect(longest).toBeLessThan(Math.min(...refused.map(({ tookMs }) => tookMs)) / 2);
      console.log(
        `frozen: nine of ten calls with a cached key take ${Math.round(longest)} ms at most, others ${refused.map(({ tookMs }) => Math.round(tookMs)).join(', ')} ms`,
      );
      expect((await gateway.client('').get('/health/live')).status).toBe(200);
      expect((await gateway.client('').get('/health/ready')).status).toBe(503);
    } finally {
      // Children first: a parent that finds them stopped stops itself again.
      for (const pid of [...frozen].reverse()) process.kill(pid, 'SIGCONT');
    }
    await until(async () => (await chat(unknown)).status === 200);
    await until(async () => (await gateway.admin.post('/v1/admin/keys', { name: 'after' })).status === 201);
    expect((await chat(revoked)).status).toBe(200);
    // All calls are accounted for: those of the time without the database too.
    await until(async () => {
      const waiting = (await gateway.admin.metrics()).get('gateway_usage_records_waiting');
      return waiting?.samples[0]?.value === 0;
    });
    expect((await gateway.stop()).code).toBe(0);
    await postgres.stop();
  });
});
