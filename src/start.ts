import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Server as NetServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { createApplication } from './application.js';
import { AuditLog } from './audit/audit-log.service.js';
import { BatchWorker } from './batch/batch-worker.js';
import { BootstrapAdminKey } from './admin/keys/bootstrap-admin-key.js';
import { InFlight } from './lifecycle/in-flight.service.js';
import type { Configuration, GatewayConfig } from './config/gateway-config.js';
import { ConfigError } from './config/config-error.js';
import { startFields } from './config/describe-config.js';
import { settingsThatNeedRestart } from './config/changed-settings.js';
import { RoutingConfig } from './config/routing-config.js';
import { limitConnections } from './http/connection-limit.js';
import { configFile, isDataDirectoryNamed, loadConfig } from './config/load-config.js';
import { watchConfig, type ReloadReason } from './config/watch-config.js';
import { makePrivate, type Tightened } from './database/private-files.js';
import { BootError } from './errors/boot-error.js';
import { describeError } from './errors/describe-error.js';
import { upstreamUnavailable } from './errors/gateway-error.js';
import { Shutdown } from './lifecycle/shutdown.service.js';
import { randomId } from './runtime/random-id.js';
import { VERSION } from './runtime/version.js';
import type { Listening, WorkerProcess } from './cluster/worker.js';
import { descriptorFault } from './runtime/descriptors.js';
import { createLogger } from './telemetry/logger.js';

/** Time for aborted streams to send their error event after the drain timeout. */
const ABORT_GRACE_MS = 2_000;
/**
 * Where other processes continue to serve the port, how long idle connections are kept in milliseconds: a client that uses one
 * meanwhile is asked to close it, and a request that was just sent is still served.
 */
const EXIT_DELAY_MS = 1_000;

/** Starts the application and listens; a fault that an operator can fix is one clear line. */
export async function start(config: Configuration): Promise<void> {
  try {
    const logger = createLogger(config.log);
    const tightened = makeFilesPrivate(config);
    const worker = config.processes > 1 ? await joinPrimary() : undefined;
    const app = await createApplication(config, logger, worker?.peers);
    surviveStrayErrors(app, config, logger);
    for (const each of tightened) {
      logger.warn(each, 'other users had access to this path; its owner alone has it now');
    }
    const where = await listen(app, config);
    limitConnections(app.getHttpServer(), logger);
    reloadOnChange(app, config, logger, worker !== undefined);
    if (worker === undefined) {
      // Before the line that says that it is ready: from then on it may be signalled.
      stopOnSignal(app, config, logger);
      logger.info({ ...where, version: VERSION, ...startFields(config) }, 'listening');
    } else {
      void auditReplacement(app, worker, logger);
      worker.serve(where, (reason, hasSuccessor) => {
        logger.info({ reason }, 'draining');
        return drain(app, config, logger, hasSuccessor);
      });
    }
  } catch (error) {
    if (error instanceof ConfigError || error instanceof BootError) process.stderr.write(`${error.message}\n`);
    else process.stderr.write(`${descriptorFault(error) ?? failedStart(error)}\n`);
    process.exit(1);
  }
}

function failedStart(error: unknown): string {
  return `llm-gateway failed to start: ${JSON.stringify(describeError(error))}`;
}

async function joinPrimary(): Promise<WorkerProcess | undefined> {
  return (await import('./cluster/worker.js')).joinPrimary();
}

async function listen(app: NestExpressApplication, { server }: GatewayConfig): Promise<Listening> {
  // Separate, so that a failure here is not reported as a fault of the address.
  await app.init();
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
  return { url, ...(server.swagger && { docs: `${url}/docs` }) };
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

/** Applies a valid new configuration; calls in flight continue. Refuses an invalid one, and keeps the old one. */
function reloadOnChange(app: NestExpressApplication, config: GatewayConfig, logger: Logger, isWorker: boolean): void {
  const refuse = (reason: string, faults: unknown): void => {
    logger.error({ reason, faults }, 'the new configuration is refused, and the old one stays in force');
  };
  const onChange = (reason: ReloadReason, isUnchanged: () => boolean, version: string): void => {
    try {
      const next = loadConfig();
      // Written again since it was found to be whole: that change is reported too.
      if (!isUnchanged()) return;
      app.get(RoutingConfig).replace(next);
      const waiting = settingsThatNeedRestart(config, next);
      const { providers, models } = next;
      logger.info({ reason, providers: providers.length, models: models.length }, 'configuration reloaded');
      if (waiting.length > 0) logger.warn({ settings: waiting }, 'these settings have changed and wait for a restart');
      const changes = { reason, providers: providers.length, models: models.length, waiting };
      if (!isWorker) auditReload(app, logger, changes, randomId('reload_'));
      // At SIGHUP all workers are replaced, which is noted once by those that are new.
      else if (reason === 'file') auditReload(app, logger, changes, `${process.ppid}:${version}`);
    } catch (error) {
      // Its faults name settings, never values.
      refuse(reason, error instanceof ConfigError ? error.message : describeError(error));
    }
  };
  watchConfig(configFile(), { onChange, onRefused: refuse });
}

/** A process that was started because all are replaced at SIGHUP has taken the configuration over as it is now. */
async function auditReplacement(app: NestExpressApplication, worker: WorkerProcess, logger: Logger): Promise<void> {
  const replacement = await worker.replacement();
  if (replacement === undefined) return;
  const { providers, models } = app.get(RoutingConfig).current;
  const changes = { reason: 'SIGHUP', providers: providers.length, models: models.length, waiting: [] };
  auditReload(app, logger, changes, replacement);
}

/** @param event the same in all processes of this start that take the same configuration over */
function auditReload(app: NestExpressApplication, logger: Logger, changes: object, event: string): void {
  const entry = { actor: 'operator', action: 'configuration.reloaded', targetId: hostname(), changes } as const;
  app
    .get(AuditLog, { strict: false })
    .recordOnce(entry, `${hostname()}:${event}`)
    .catch((error: unknown) => {
      logger.error({ error: describeError(error) }, 'the reload of the configuration is not in the audit log');
    });
}

/** Takes away what other users of the machine may do with the gateway's files. */
function makeFilesPrivate({ database, dataDirectory }: GatewayConfig): Tightened[] {
  const path = database.kind === 'sqlite' && database.path !== ':memory:' ? database.path : undefined;
  const files = path === undefined ? [] : ['', '-wal', '-shm', '-journal'].map((suffix) => `${path}${suffix}`);
  // A working directory that happens to hold the database is not the gateway's.
  const isOwnFolder = isDataDirectoryNamed() || dataDirectory !== process.cwd();
  return [
    ...(isOwnFolder ? [makePrivate(dataDirectory, 'folder')] : []),
    ...[join(dataDirectory, 'key-pepper'), ...files].map((each) => makePrivate(each, 'file')),
  ].filter((each) => each !== undefined);
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

async function drain(
  app: NestExpressApplication,
  { server }: GatewayConfig,
  logger: Logger,
  hasSuccessor = false,
): Promise<void> {
  const httpServer = app.getHttpServer();
  app.get(Shutdown).begin();
  const inFlight = app.get(InFlight);
  const goingDown = upstreamUnavailable({
    message: 'The gateway is shutting down. Retry the request.',
    retryable: false,
  });
  inFlight.endWatchers(goingDown);
  const batches = app.get(BatchWorker, { strict: false }).stop();
  const deadline = performance.now() + server.drainTimeout;
  if (hasSuccessor) await letConnectionsGo(httpServer, inFlight, server.drainTimeout);
  httpServer.close();
  httpServer.closeIdleConnections();
  if (!(await inFlight.drained(Math.max(0, deadline - performance.now())))) {
    logger.warn({ requests: inFlight.size }, 'aborting requests that outlasted the drain timeout');
    inFlight.abortAll(goingDown);
    await inFlight.drained(ABORT_GRACE_MS);
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

/** Takes no new connection, and lets clients end those that they keep. */
async function letConnectionsGo(httpServer: Server, inFlight: InFlight, timeoutMs: number): Promise<void> {
  // The close() of an HTTP server would end idle connections at once, and the requests that are on their way on them.
  NetServer.prototype.close.call(httpServer);
  await delay(EXIT_DELAY_MS);
  if (inFlight.size === 0) return;
  await inFlight.drained(timeoutMs - EXIT_DELAY_MS);
  await delay(EXIT_DELAY_MS);
}

/**
 * An unhandled rejection is logged. After an exception outside of any request the state of the process is unknown, so it drains
 * and ends.
 */
function surviveStrayErrors(app: NestExpressApplication, config: GatewayConfig, logger: Logger): void {
  process.on('unhandledRejection', (reason) => {
    logger.error({ error: describeError(reason) }, 'unhandled rejection');
  });
  process.on('uncaughtException', (error) => {
    logger.fatal({ error: describeError(error) }, 'uncaught exception');
    void drain(app, config, logger).then(() => process.exit(1));
  });
}
