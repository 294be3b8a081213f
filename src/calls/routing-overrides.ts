import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../auth/principal.js';
import { parseDuration } from '../config/units.js';
import { invalidRequest, permissionDenied } from '../errors/gateway-error.js';

/** The routing that a request with the scope `routing` may choose for itself. */
export interface RoutingOverrides {
  /** Models to try after the requested one, instead of its own fallbacks; empty is none. */
  readonly fallbacks: readonly string[] | undefined;
  /** Milliseconds for the whole request, all attempts and waits included. */
  readonly timeout: number | undefined;
}

const FALLBACKS = 'x-gateway-fallbacks';
const TIMEOUT = 'x-gateway-timeout';
/** Bounds the work that one request can cause. */
const MAX_FALLBACKS = 10;

/**
 * Reads `x-gateway-fallbacks: fast, openai/gpt-5-mini` (empty or `none` is none) and `x-gateway-timeout: 20s`.
 *
 * @throws GatewayError 403 when the key has no scope `routing`, 400 when a header cannot be read
 */
export function readRoutingOverrides(
  headers: IncomingHttpHeaders,
  { scopes }: Principal,
): RoutingOverrides | undefined {
  const fallbacks = headers[FALLBACKS];
  const timeout = headers[TIMEOUT];
  if (fallbacks === undefined && timeout === undefined) return undefined;
  if (!scopes.has('routing')) {
    const name = fallbacks === undefined ? TIMEOUT : FALLBACKS;
    throw permissionDenied(
      `This key may not use the header ${name}: it needs the scope 'routing'. Leave the header out.`,
      'insufficient_scope',
      name,
    );
  }
  return { fallbacks: readFallbacks(fallbacks), timeout: readTimeout(timeout) };
}

function readFallbacks(value: string | string[] | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const text = String(value).trim();
  if (text === '' || text === 'none') return [];
  const ids = text.split(',').map((id) => id.trim());
  if (ids.length > MAX_FALLBACKS || ids.some((id) => id === '' || id.length > 256)) {
    throw invalidRequest(
      `The header ${FALLBACKS} takes up to ${MAX_FALLBACKS} model ids separated by commas, or none.`,
      FALLBACKS,
      'invalid_value',
    );
  }
  return ids;
}

function readTimeout(value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined;
  const milliseconds = parseDuration(value);
  if (milliseconds === undefined || milliseconds <= 0 || milliseconds > 86_400_000) {
    throw invalidRequest(
      `The header ${TIMEOUT} takes a duration with its unit, such as 500ms, 20s or 2m, of at most 24h.`,
      TIMEOUT,
      'invalid_value',
    );
  }
  return milliseconds;
}
