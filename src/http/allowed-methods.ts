import { GatewayError } from '../errors/gateway-error.js';
import { endBeforeBody } from './early-response.js';
import { layersOf } from './express-layers.js';
import type { HttpRequest, HttpResponse } from './http-types.js';

const MAX_PATH_CHARACTERS = 200;
/** The methods as they are listed. Any other method of a route follows. */
const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * The methods that a path is served with, read from the routes themselves: HEAD wherever GET is, and OPTIONS for every path. For
 * `*` they are those of the whole server.
 *
 * @param express Express's application
 * @param url path and query
 * @returns nothing for a path that no route has
 */
export function allowedMethods(express: unknown, url: string): readonly string[] {
  const path = pathOf(url);
  const methods = new Set<string>();
  for (const layer of layersOf(express)) {
    if (layer.route === undefined || (path !== '*' && !layer.match(path))) continue;
    for (const [method, isServed] of Object.entries(layer.route.methods))
      if (isServed) methods.add(method.toUpperCase());
  }
  if (methods.size === 0) return [];
  if (methods.has('GET')) methods.add('HEAD');
  return [...ORDER.filter((method) => methods.delete(method)), ...methods, 'OPTIONS'];
}

/** 405 with `Allow` (RFC 9110, 15.5.6). */
export function methodNotAllowed({ method, url }: HttpRequest, allowed: readonly string[]): GatewayError {
  const path = pathOf(url).slice(0, MAX_PATH_CHARACTERS);
  return new GatewayError({
    status: 405,
    type: 'invalid_request_error',
    code: 'method_not_allowed',
    message: `${path} does not take ${method}. Send one of ${allowed.join(', ')}.`,
    headers: { allow: allowed.join(', ') },
  });
}

/**
 * Sends the response to OPTIONS: 204 with `Allow` (RFC 9110, 9.3.7). A preflight that CORS has answered with its headers gets a 204
 * for any path, so that a page can read the response that follows.
 *
 * @returns false, and sends nothing, for another method or a path that no route has
 */
export function respondToOptions(request: HttpRequest, response: HttpResponse, allowed: readonly string[]): boolean {
  if (request.method !== 'OPTIONS') return false;
  const isPreflight =
    request.headers['access-control-request-method'] !== undefined &&
    response.hasHeader('access-control-allow-methods');
  if (allowed.length === 0 && !isPreflight) return false;
  if (allowed.length > 0) response.setHeader('allow', allowed.join(', '));
  endBeforeBody(request, response);
  response.statusCode = 204;
  response.end();
  return true;
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}
