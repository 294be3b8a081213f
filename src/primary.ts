import type { Logger } from 'pino';
import { ConfigError } from './config/config-error.js';
import { startFields } from './config/describe-config.js';
import type { Configuration } from './config/gateway-config.js';
import { configFile, loadConfig } from './config/load-config.js';
import { watchConfig } from './config/watch-config.js';
import { describeError } from './errors/describe-error.js';
import { VERSION } from './runtime/version.js';
import { primaryLimits } from './limits/primary-limits.js';
import { createLogger } from './telemetry/logger.js';
import { StartFailure, Supervisor } from './cluster/supervisor.js';

/** Runs the processes that GATEWAY_PROCESSES asks for, and nothing else: this one serves no request. */
export async function supervise(): Promise<void> {
  let config: Configuration;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  const logger = createLogger(config.log);
  const supervisor = new Supervisor(config.processes, config.server.drainTimeout, logger, [primaryLimits()]);
  stopOnSignal(supervisor, logger);
  try {
    const where = await supervisor.start();
    // Before the line that says that it is ready: from then on it may be signalled.
    reloadOnChange(supervisor, logger);
    logger.info({ ...where, version: VERSION, processes: config.processes, ...startFields(config) }, 'listening');
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    // It has logged the reason itself, unless a signal ended it.
    if (error.code === null) process.stderr.write('llm-gateway failed to start: its first process was killed\n');
    process.exit(error.code ?? 1);
  }
}

function reloadOnChange(supervisor: Supervisor, logger: Logger): void {
  const listener = {
    onChange: () => reload(supervisor, logger),
    onRefused: (reason: string, faults: string) => refuse(logger, reason, faults),
  };
  watchConfig(configFile(), listener, false);
}

/** SIGTERM and SIGINT: every process drains as one alone would. A second signal ends them at once. */
function stopOnSignal(supervisor: Supervisor, logger: Logger): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      supervisor.kill();
      process.exit(1);
    }
    isStopping = true;
    logger.info({ signal }, 'all processes drain');
    void supervisor.stop().then((isWell) => {
      logger.info('all processes have stopped');
      logger.flush();
      process.exit(isWell ? 0 : 1);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Replaces every process by one with the present configuration, unless the configuration is invalid. */
function reload(supervisor: Supervisor, logger: Logger): void {
  try {
    loadConfig();
  } catch (error) {
    // Its faults name settings, never values.
    const faults = error instanceof ConfigError ? error.message : describeError(error);
    refuse(logger, 'SIGHUP', faults);
    return;
  }
  logger.info({ reason: 'SIGHUP' }, 'processes are replaced one by one');
  void supervisor.roll();
}

function refuse(logger: Logger, reason: string, faults: unknown): void {
  logger.error({ reason, faults }, 'the new configuration is refused, and the old one stays in force');
}
