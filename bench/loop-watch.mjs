/** Loaded ahead of the gateway: on SIGUSR2 it writes how long the event loop was held up at most since the last one. */
import { writeFileSync } from 'node:fs';

let last = performance.now();
let longest = 0;
setInterval(() => {
  const now = performance.now();
  longest = Math.max(longest, now - last - 1);
  last = now;
}, 1).unref();

process.on('SIGUSR2', () => {
  writeFileSync(process.env.BENCH_LOOP_REPORT, String(longest));
  longest = 0;
  last = performance.now();
});
