import { fileURLToPath } from 'node:url';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { serveConsole } from './console/console-files.js';
import { PACKAGE_FOLDER } from './runtime/source-folder.js';
import type { Configuration } from './config/gateway-config.js';
import { FastPath } from './model-endpoint/fast-path.js';
import { InFlight } from './lifecycle/in-flight.service.js';
import { Shutdown } from './lifecycle/shutdown.service.js';
import type { RequestHook, HttpRequest, HttpResponse } from './http/http-types.js';
import { assignRequestId } from './http/request-id.js';
import { respondToClientErrors } from './http/client-errors.js';
import { endBeforeBody, hasUnreadBody } from './http/early-response.js';
import { useOriginForm } from './http/origin-form.js';
import { refuseWebSocket } from './http/refuse-websocket.js';
import { addVersionPrefix } from './http/version-prefix.js';
import { refuseAllButHealth } from './http/worker-routes.js';
import { buildOpenApiDocument } from './openapi/document.js';
import { serveSwagger } from './openapi/swagger-ui.js';
import type { ClusterPeers } from './cluster/cluster-peers.js';
import { AccessLog } from './telemetry/access-log.js';
import { HttpMetrics } from './telemetry/http-metrics.js';
import { GatewayLogger } from './telemetry/logger.js';
import { RequestTracing } from './telemetry/request-tracing.js';

/** Load balancers hold idle connections for up to 60 s; closing earlier than they do gives their clients a 502. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** Longest that a client may take to send its headers. */
const HEADERS_TIMEOUT_MS = 30_000;

/** Where the build puts the files of the console. */
const CONSOLE_FOLDER = fileURLToPath(new URL('dist/console/', PACKAGE_FOLDER));

/** Response headers that scripts in a browser may read: those needed for retries, and those that say how a request was served. */
const EXPOSED_HEADERS = [
  'x-request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  ...['limit', 'remaining', 'reset'].flatMap((what) => [`x-ratelimit-${what}-requests`, `x-ratelimit-${what}-tokens`]),
  ...['requests', 'tokens', 'input-tokens', 'output-tokens'].flatMap((what) =>
    ['limit', 'remaining', 'reset'].map((which) => `anthropic-ratelimit-${what}-${which}`),
  ),
  'openai-processing-ms',
  'x-gateway-model',
  'x-gateway-provider',
  'x-gateway-attempts',
  'x-gateway-cost',
  'x-gateway-dropped-params',
];

/** The application with its middleware, wired but not listening. */
export async function createApplication(
  config: Configuration,
  logger: Logger,
  peers?: ClusterPeers,
): Promise<NestExpressApplication> {
  const nestLogger: LoggerService = new GatewayLogger(logger);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config, peers), {
    bodyParser: false,
    abortOnError: false,
    forceCloseConnections: true,
    logger: nestLogger,
  });
  // Defaults of Express that are not needed here.
  app.set('query parser', 'simple').set('etag', false).set('x-powered-by', false);
  const shutdown = app.get(Shutdown);
  const preparations: RequestHook[] = [
    useOriginForm,
    assignRequestId,
    AccessLog.preparation(logger, app.get(HttpMetrics)),
    ...(config.tracing === undefined ? [] : [app.get(RequestTracing).prepare]),
    (request, response) => {
      response.setHeader('x-content-type-options', 'nosniff');
      if (shutdown.isDraining) response.setHeader('connection', 'close');
      if (hasUnreadBody(request)) endBeforeBody(request, response);
    },
  ];
  const prepareAll = (request: HttpRequest, response: HttpResponse, next: () => void): void => {
    for (const prepare of preparations) prepare(request, response);
    next();
  };
  app.use(prepareAll);
  /** Middleware that the fast path need not run. */
  const known: unknown[] = [prepareAll, addVersionPrefix, refuseWebSocket];
  if (config.role === 'worker') app.use(refuseAllButHealth);
  app.use(refuseWebSocket);
  app.use(addVersionPrefix);
  if (config.server.corsOrigins.length > 0) {
    app.enableCors({
      origin: config.server.corsOrigins.includes('*') ? '*' : [...config.server.corsOrigins],
      exposedHeaders: EXPOSED_HEADERS,
      // An OPTIONS request gets its `Allow` where the routes are known.
      preflightContinue: true,
    });
  }
  if (config.server.swagger) {
    app.use(
      '/docs',
      helmet({
        // The page is also served over plain HTTP on a laptop, and Swagger UI styles itself inline.
        strictTransportSecurity: false,
        contentSecurityPolicy: {
          useDefaults: false,
          directives: {
            defaultSrc: ["'self'"],
            styleSrc: ["'self'", "'unsafe-inline'"],
            imgSrc: ["'self'", 'data:'],
            frameAncestors: ["'none'"],
          },
        },
      }),
    );
    known.push(serveSwagger(app, () => buildOpenApiDocument(app)));
  }
  if (config.console.enabled && config.role !== 'worker') {
    const consoleFiles = serveConsole(CONSOLE_FOLDER);
    if (consoleFiles !== undefined) {
      app.use(consoleFiles);
      known.push(consoleFiles);
    }
  }
  const server = app.getHttpServer();
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  app.get(InFlight).watch(server);
  if (config.role !== 'worker') {
    app.get(FastPath, { strict: false }).takeFrom(server, { preparations, known });
  }
  respondToClientErrors(server);
  return app;
}
