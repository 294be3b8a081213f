import type { Logger } from 'pino';
import type { Usage } from '../operations/chat/chat-completion.js';
import type { OperationName } from '../operations/operation-types.js';
import type { RequestHook, HttpRequest, HttpResponse } from '../http/http-types.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { failedCallOf } from './failed-calls.js';
import type { HttpMetrics } from './http-metrics.js';

/** All that an access line can say besides method, route, status and time. No prompt, answer, key or URL is among it. */
export interface AccessFields {
  /** Public id of the key, never the key. */
  key_id?: string;
  operation?: OperationName;
  /** The configured model that answered; what the client wrote is not logged. */
  model?: string;
  provider?: string;
  attempts?: number;
  stream?: boolean;
  usage?: Usage | undefined;
  error_code?: string | null;
  /** Of the last provider that answered with a failure. */
  upstream_status?: number | undefined;
  /** What it said, without what the request said. */
  upstream_message?: string | undefined;
  /** Of the request's trace, where tracing is on. */
  trace_id?: string;
}

interface AccessLocals {
  access?: AccessFields;
  error?: GatewayError;
  errorCode?: string | null;
}

const QUIET = /^\/(?:health|docs)/;

/** One line a request, written when the answer is out or the client has gone. */
export class AccessLog {
  /** What the request's line will say, to be added to. */
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
        metrics.answered(request, response, route, duration, errorCode ?? access?.error_code ?? null);
        write(logger, request, response, route, duration);
      });
    };
  }
}

/** The matched pattern, never the URL: a path or a query may hold what must not be logged. */
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
  // What is undefined is not printed.
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
