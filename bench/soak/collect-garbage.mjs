/** Loaded ahead of the gateway: on SIGUSR2 it collects all garbage and writes what is left, in MB, as JSON. */
import { renameSync, writeFileSync } from 'node:fs';
import { writeHeapSnapshot } from 'node:v8';

process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const file = process.env.SOAK_HEAP_REPORT;
  if (process.env.SOAK_SNAPSHOTS === 'true') writeHeapSnapshot(`${file}-${Date.now()}.heapsnapshot`);
  writeFileSync(
    `${file}.draft`,
    JSON.stringify({ heap: heapUsed / 1e6, external: external / 1e6, arrayBuffers: arrayBuffers / 1e6 }),
  );
  renameSync(`${file}.draft`, file);
});
