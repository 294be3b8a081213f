import type { Logger } from 'pino';
import type { Usage } from '../operations/chat/chat-completion.js';
import type { OperationName } from '../operations/operation-types.js';
import type { RequestHook, HttpRequest, HttpResponse } from '../http/http-types.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { failedCallOf } from './failed-calls.js';
import type { HttpMetrics } from './http-metrics.js';

/** The fields of an access line besides method, route, status and time. No prompt, response, key or URL is among them. */
export interface AccessFields {
  /** Public id of the key, never the key. */
  key_id?: string;
  operation?: OperationName;
  /** The configured model that responded; the client's text is not logged. */
  model?: string;
  provider?: string;
  attempts?: number;
  stream?: boolean;
  /** Events of the provider's stream that were no JSON and were left out; absent where there were none. */
  skipped_events?: number;
  /** How often another deployment went on with a stream that broke; absent where it did not break. */
  recovered?: number;
  usage?: Usage | undefined;
  error_code?: string | null;
  /** Status of the last provider that responded with a failure. */
  upstream_status?: number | undefined;
  /** Its message, without quotes from the request. */
  upstream_message?: string | undefined;
  /** Id of the request's trace, where tracing is on. */
  trace_id?: string;
}

interface AccessLocals {
  access?: AccessFields;
  error?: GatewayError;
  errorCode?: string | null;
}

const QUIET = /^\/(?:health|docs)/;

/** One line a request, written when the response was sent or the client has disconnected. */
export class AccessLog {
  /** The fields of the request's line, to be added to. */
  static fieldsOf(response: HttpResponse): AccessFields {
    return ((response.locals as AccessLocals).access ??= {});
  }

  static preparation(logger: Logger, metrics: HttpMetrics): RequestHook {
    return (request, response): void => {
      const started = performance.now();
      response.on('close', () => {
        const duration = performance.now() - started;
        const route = routeOf(request);
        const { access, errorCode } = response.locals as AccessLocals;
        metrics.responded(request, response, route, duration, errorCode ?? access?.error_code ?? null);
        write(logger, request, response, route, duration);
      });
    };
  }
}

/** The matched pattern, never the URL: a path or a query may contain what must not be logged. */
export function routeOf(request: HttpRequest): string {
  const pattern: unknown = (request.route as { path?: unknown } | undefined)?.path;
  return typeof pattern === 'string' ? pattern : 'unmatched';
}

function write(logger: Logger, request: HttpRequest, response: HttpResponse, route: string, duration: number): void {
  const isFailure = response.statusCode >= 500;
  if (!isFailure && QUIET.test(route) && !logger.isLevelEnabled('debug')) return;
  const { access = {}, errorCode, error } = response.locals as AccessLocals;
  const { usage } = access;
  const failed = error === undefined ? undefined : failedCallOf(error);
  // Undefined fields are not printed.
  const line = {
    request_id: request.id,
    method: request.method,
    route,
    status: response.statusCode,
    duration_ms: Math.round(duration * 10) / 10,
    key_id: request.user?.keyId,
    model: failed?.model,
    provider: failed?.attempts.at(-1)?.provider,
    attempts: failed?.attempts.length,
    upstream_status: failed?.attempts.at(-1)?.upstream_status,
    upstream_message: failed?.attempts.at(-1)?.upstream_message,
    ...access,
    usage: undefined,
    prompt_tokens: usage?.prompt_tokens,
    completion_tokens: usage?.completion_tokens,
    error_code: errorCode ?? access.error_code,
    client_closed: response.writableFinished ? undefined : true,
  };
  if (isFailure) logger.error(line, 'request');
  else logger.info(line, 'request');
}
