import type { GatewayError } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';

const MS_PER_SECOND = 1_000;

/** The body of an error, which is the same as chat's. */
export function writeError(error: GatewayError): JsonObject {
  return { ...error.toBody() };
}

/**
 * `error` of a response that failed, with the codes and the words that clients match: agents compact the conversation at
 * `context_length_exceeded`, stop at `insufficient_quota`, and wait as long as "try again in" says.
 */
export function failureOf(error: GatewayError): JsonObject {
  const { message } = error;
  if (error.status === 429) {
    if (error.code === 'insufficient_quota') return { code: 'insufficient_quota', message };
    return { code: 'rate_limit_exceeded', message: withWait(message, error.retryAfterMs) };
  }
  if (error.status === 503) return { code: 'server_is_overloaded', message: withWait(message, error.retryAfterMs) };
  if (error.status >= 500) return { code: 'server_error', message };
  return { code: error.code ?? 'invalid_prompt', message };
}

function withWait(message: string, waitMs: number | undefined): string {
  if (waitMs === undefined || /try again in\s*\d/i.test(message)) return message;
  return `${message} Please try again in ${Math.max(1, Math.ceil(waitMs / MS_PER_SECOND))}s.`;
}
