import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../auth/principal.js';
import { parseDuration } from '../config/units.js';
import { invalidRequest, permissionDenied } from '../errors/gateway-error.js';

const RECOVERY_MODES = ['off', 'restart', 'continue'] as const;
export type RecoveryMode = (typeof RECOVERY_MODES)[number];

/** The routing that a request with the scope `routing` may choose for itself. */
export interface RoutingOverrides {
  /** What happens to a stream that breaks; undefined is the model's own. */
  readonly streamRecovery?: RecoveryMode | undefined;
  /** Models to try after the requested one, instead of its own fallbacks; empty is none. */
  readonly fallbacks: readonly string[] | undefined;
  /** Milliseconds for the whole request, all attempts and waits included. */
  readonly timeoutMs: number | undefined;
}

const FALLBACKS = 'x-gateway-fallbacks';
const RECOVERY = 'x-gateway-stream-recovery';
const TIMEOUT_HEADER = 'x-gateway-timeout';
/** Bounds the work that one request can cause. */
const MAX_FALLBACKS = 10;

/**
 * Reads `x-gateway-fallbacks: fast, openai/gpt-5-mini` (empty or `none` is none) and `x-gateway-timeout: 20s`.
 * `x-gateway-stream-recovery: off` needs no scope, for it takes nothing that another key could need.
 *
 * @throws GatewayError 403 when the key has no scope `routing`, 400 when a header cannot be read
 */
export function readRoutingOverrides(
  headers: IncomingHttpHeaders,
  { scopes }: Principal,
): RoutingOverrides | undefined {
  const fallbacks = headers[FALLBACKS];
  const timeout = headers[TIMEOUT_HEADER];
  const streamRecovery = readRecovery(headers[RECOVERY]);
  if (fallbacks === undefined && timeout === undefined && streamRecovery === undefined) return undefined;
  const needsScope = fallbacks !== undefined || timeout !== undefined || streamRecovery !== 'off';
  if (needsScope && !scopes.has('routing')) {
    const name = fallbacks !== undefined ? FALLBACKS : timeout !== undefined ? TIMEOUT_HEADER : RECOVERY;
    throw permissionDenied(
      `This key may not use the header ${name}: it needs the scope 'routing'. Leave the header out.`,
      'insufficient_scope',
      name,
    );
  }
  return { fallbacks: readFallbacks(fallbacks), timeoutMs: readTimeout(timeout), streamRecovery };
}

function readRecovery(value: string | string[] | undefined): RecoveryMode | undefined {
  if (value === undefined) return undefined;
  const mode = RECOVERY_MODES.find((each) => each === value);
  if (mode !== undefined) return mode;
  throw invalidRequest(`The header ${RECOVERY} takes off, restart or continue.`, RECOVERY, 'invalid_value');
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
      `The header ${TIMEOUT_HEADER} takes a duration with its unit, such as 500ms, 20s or 2m, of at most 24h.`,
      TIMEOUT_HEADER,
      'invalid_value',
    );
  }
  return milliseconds;
}
