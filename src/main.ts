import { asksForSeveralProcesses } from './config/process-count.js';
import { descriptorFault, descriptorLimit } from './runtime/descriptors.js';

// What the gateway writes, its own user alone may read.
process.umask(0o077);

// Read now: with too few descriptors the modules below take all of them.
const descriptors = descriptorLimit();

try {
  if (asksForSeveralProcesses() && (await import('node:cluster')).default.isPrimary) {
    const { supervise } = await import('./primary.js');
    await supervise();
  } else {
    await import('reflect-metadata');
    const { start } = await import('./start.js');
    await start();
  }
} catch (error) {
  const fault = descriptorFault(error, descriptors);
  if (fault === undefined) throw error;
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
