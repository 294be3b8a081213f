import { asksForSeveralProcesses } from './config/process-count.js';

// What the gateway writes, its own user alone may read.
process.umask(0o077);

if (asksForSeveralProcesses() && (await import('node:cluster')).default.isPrimary) {
  const { supervise } = await import('./processes/primary.js');
  await supervise();
} else {
  await import('reflect-metadata');
  const { start } = await import('./start.js');
  await start();
}
