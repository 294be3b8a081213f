import { ConfigError } from './config/config-error.js';
import { asksForSeveralProcesses } from './config/process-count.js';
import { BootError } from './errors/boot-error.js';
import { descriptorFault, descriptorLimit, tooFewDescriptors } from './runtime/descriptors.js';

// What the gateway writes, its own user alone may read.
process.umask(0o077);

// Read now: with too few descriptors the modules below take all of them.
const descriptors = descriptorLimit();

try {
  const tooFew = tooFewDescriptors(descriptors);
  if (tooFew !== undefined) throw new BootError(tooFew);
  if (asksForSeveralProcesses() && (await import('node:cluster')).default.isPrimary) {
    const { supervise } = await import('./primary.js');
    await supervise();
  } else {
    // First and alone: a fault of the configuration is reported before the rest of the program is loaded.
    const { loadConfig } = await import('./config/load-config.js');
    const config = loadConfig();
    await import('reflect-metadata');
    const { start } = await import('./start.js');
    await start(config);
  }
} catch (error) {
  const isForOperator = error instanceof ConfigError || error instanceof BootError;
  const fault = isForOperator ? error.message : descriptorFault(error, descriptors);
  if (fault === undefined) throw error;
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
