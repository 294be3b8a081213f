import type { ApplicationConfig } from '@nestjs/core';
import { layersOf } from '../http/express-layers.js';

/** The functions that the fast path runs in addition to global guards. */
export interface RunEnhancers {
  /** Without it no error would be sent. */
  readonly filter: object | undefined;
  /** Without it no body would be read. */
  readonly body: object | undefined;
}

/** Global enhancers that the fast path does not run, and those that it needs and that are missing. */
export function skippedEnhancers(config: ApplicationConfig, { filter, body }: RunEnhancers): string[] {
  return [
    ...(filter === undefined ? ['GatewayExceptionFilter, which is not global'] : []),
    ...(body === undefined ? ['JsonBodyInterceptor, which is not global'] : []),
    ...config.getGlobalPipes().map((pipe) => `the global pipe ${nameOf(pipe)}`),
    ...config
      .getGlobalInterceptors()
      .filter((each) => each !== body)
      .map((each) => `the global interceptor ${nameOf(each)}`),
    ...config
      .getGlobalFilters()
      .filter((each) => each !== filter)
      .map((each) => `the global filter ${nameOf(each)}`),
    ...[
      ...config.getGlobalRequestGuards(),
      ...config.getGlobalRequestPipes(),
      ...config.getGlobalRequestInterceptors(),
      ...config.getGlobalRequestFilters(),
    ].map(({ name }) => `the request-scoped ${String(name)}`),
  ];
}

/**
 * Middleware of a path, of the application or of a module, that the fast path does not run.
 *
 * @param express Express's application
 * @param known middleware whose work the fast path does as well, or that has no say in its requests
 */
export function skippedMiddleware(express: unknown, path: string, known: ReadonlySet<unknown>): string[] {
  const stack = layersOf(express);
  const own = stack.findIndex((layer) => layer.route?.methods['post'] === true && layer.match(path));
  // The handlers of unknown paths come after the route.
  return stack
    .slice(0, own === -1 ? stack.length : own)
    .filter(
      (layer) => layer.route === undefined && !known.has(layer.handle) && !known.has(layer.name) && layer.match(path),
    )
    .map(({ name }) => `the middleware ${name}`);
}

/** The middleware that Express has so far. */
export function middlewareOf(express: unknown): unknown[] {
  return layersOf(express).flatMap((layer) => (layer.route === undefined ? [layer.handle] : []));
}

function nameOf(instance: object): string {
  return instance.constructor.name;
}
