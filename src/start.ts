import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { createApplication } from './application.js';
import { BatchWorker } from './batch/batch-worker.js';
import { BootstrapAdminKey } from './auth/bootstrap-admin-key.js';
import { InFlight } from './health/in-flight.service.js';
import type { GatewayConfig } from './config/gateway-config.js';
import { ConfigError } from './config/config-error.js';
import { LiveConfig } from './config/live-config.js';
import { configFile, loadConfig } from './config/load-config.js';
import { watchConfig } from './config/watch-config.js';
import { BootError } from './errors/boot-error.js';
import { describeError } from './errors/describe-error.js';
import { upstreamUnavailable } from './errors/gateway-error.js';
import { Routing } from './models/routing/routing.service.js';
import { Shutdown } from './health/shutdown.service.js';
import { VERSION } from './health/version.js';
import { createLogger } from './telemetry/logger.js';

/** After the drain timeout, how long broken-off streams get to send their error event. */
const ABORT_GRACE = 2_000;

/** Loads the configuration, starts the application and listens; a fault that an operator can mend is one clear line. */
export async function start(): Promise<void> {
  let logger: Logger | undefined;
  try {
    const live = new LiveConfig(loadConfig());
    const { config } = live;
    logger = createLogger(config.log);
    const app = await createApplication(config, logger);
    surviveStrayErrors(app, config, logger);
    await listen(app, config, logger);
    reloadOnChange(app, live, logger);
    stopOnSignal(app, config, logger);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof BootError) process.stderr.write(`${error.message}\n`);
    else process.stderr.write(`llm-gateway failed to start: ${JSON.stringify(describeError(error))}\n`);
    process.exit(1);
  }
}

async function listen(app: NestExpressApplication, { server }: GatewayConfig, logger: Logger): Promise<void> {
  try {
    await app.listen(server.port, server.host);
  } catch (error) {
    throw new BootError(listenFault(error, server.host, server.port), { cause: error });
  }
  const { address, port } = app.getHttpServer().address() as AddressInfo;
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `http://${host}:${port}`;
  const adminKey = app.get(BootstrapAdminKey).takeOnce();
  if (adminKey !== undefined) {
    process.stdout.write(`\nAdmin key (shown only now, keep it): ${adminKey}\n\n`);
  }
  logger.info({ url, ...(server.swagger && { docs: `${url}/docs` }), version: VERSION }, 'listening');
}

function listenFault(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. Stop the other process, or set PORT to a free one.`;
    case 'EACCES':
      return `Port ${port} on ${host} needs more rights than this user has. Set PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST ${host} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all of them.`;
    default:
      return `Cannot listen on ${host}:${port} (${typeof code === 'string' ? code : 'unknown error'}).`;
  }
}

/** A valid new configuration is taken over without breaking off a call; an invalid one is refused and the old one kept. */
function reloadOnChange(app: NestExpressApplication, live: LiveConfig, logger: Logger): void {
  watchConfig(configFile(), (reason) => {
    try {
      const waiting = live.replace(loadConfig());
      app.get(Routing).reload();
      const { providers, models } = live.config;
      logger.info({ reason, providers: providers.length, models: models.length }, 'configuration reloaded');
      if (waiting.length > 0) logger.warn({ settings: waiting }, 'these settings have changed and wait for a restart');
    } catch (error) {
      // Its faults name settings, never values.
      const faults = error instanceof ConfigError ? error.message : describeError(error);
      logger.error({ reason, faults }, 'the new configuration is refused, and the old one stays in force');
    }
  });
}

/**
 * SIGTERM and SIGINT: not ready at once, no new connections, open requests get the drain timeout to end, streams that
 * are left get an error event. A second signal ends the process at once.
 */
function stopOnSignal(app: NestExpressApplication, config: GatewayConfig, logger: Logger): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger.info({ signal }, 'draining');
    void drain(app, config, logger).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

async function drain(app: NestExpressApplication, { server }: GatewayConfig, logger: Logger): Promise<void> {
  const httpServer = app.getHttpServer();
  app.get(Shutdown).begin();
  httpServer.close();
  httpServer.closeIdleConnections();
  const inFlight = app.get(InFlight);
  const goingDown = upstreamUnavailable({
    message: 'The gateway is shutting down. Retry the request.',
    retryable: false,
  });
  inFlight.endWatchers(goingDown);
  const batches = app.get(BatchWorker, { strict: false }).stop();
  if (!(await inFlight.drained(server.drainTimeout))) {
    logger.warn({ requests: inFlight.size }, 'breaking off requests that outlasted the drain timeout');
    inFlight.abortAll(goingDown);
    await inFlight.drained(ABORT_GRACE);
  }
  try {
    await batches;
    await app.close();
  } catch (error) {
    logger.error({ error: describeError(error) }, 'shutdown was not clean');
  }
  logger.info('stopped');
  logger.flush();
}

/** A stray rejection is logged; an exception outside any request leaves the process in doubt, so it drains and ends. */
function surviveStrayErrors(app: NestExpressApplication, config: GatewayConfig, logger: Logger): void {
  process.on('unhandledRejection', (reason) => {
    logger.error({ error: describeError(reason) }, 'unhandled rejection');
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ error: describeError(error) }, 'uncaught exception');
    void drain(app, config, logger).then(() => process.exit(1));
  });
}
