/**
 * `npm run bench:batch-live`: what a full batch adds to the time to the first token of live streams of the same process, on SQLite.
 * CONCURRENCY (32) are the slots of the batch. Ends with 1 when p99 grows by more than 5 %.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureLive, MAX_ADDED } from './batch/measure-live.mjs';
import { ADMIN_KEY, openDatabase, startGateway } from './batch/servers.mjs';
import { freePort, startServer } from './process.mjs';

const concurrency = Number(process.env.CONCURRENCY ?? 32);
const folder = mkdtempSync(join(tmpdir(), 'gateway-batch-live-'));
const servers = [];
try {
  const port = await freePort();
  const upstream = new URL('batch/live-upstream.mjs', import.meta.url).pathname;
  servers.push(
    await startServer(process.execPath, [upstream, String(port)], {
      output: join(folder, 'upstream.log'),
      isReady: (text) => (text.includes('listening') ? true : undefined),
    }),
  );
  writeFileSync(
    join(folder, 'gateway.yaml'),
    `providers:\n  upstream: { type: openai, base_url: "http://127.0.0.1:${port}/v1", api_key: none }\nbatch: { concurrency: ${concurrency} }\n`,
  );
  const database = await openDatabase({ kind: 'sqlite', folder });
  const gateway = await startGateway({ role: 'all', processes: 1, folder, database });
  servers.push(gateway);
  const added = await measureLive({ gateway, key: ADMIN_KEY, concurrency });
  if (added > MAX_ADDED) process.exitCode = 1;
} finally {
  for (const server of servers.reverse()) await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
