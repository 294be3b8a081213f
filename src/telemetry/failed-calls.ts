import type { CallOutcome } from '../calls/call-outcome.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { withoutRequestText } from './without-request-text.js';

/** Attempts of one call that the log names; the last ones. */
const MAX_ATTEMPTS = 10;

/** What the log says of one attempt that failed, or of the one that answered. */
export interface LoggedAttempt {
  readonly provider: string;
  readonly upstream_model: string;
  readonly duration_ms: number;
  readonly error_code: string | null | undefined;
  readonly upstream_status: number | undefined;
  readonly upstream_code: string | undefined;
  readonly upstream_message: string | undefined;
}

/** What the log says of a call that failed. */
export interface FailedCall {
  readonly model: string;
  readonly attempts: readonly LoggedAttempt[];
}

/** By the error that its client gets, which is how the line of the HTTP request finds it. */
const calls = new WeakMap<GatewayError, FailedCall>();

export function failedCallOf(error: GatewayError): FailedCall | undefined {
  return calls.get(error);
}

/** @returns undefined for a call that did not fail, or that the gateway refused before it chose a model */
export function rememberFailedCall({ error, attempts, request }: CallOutcome): FailedCall | undefined {
  const last = attempts.at(-1);
  if (error === null || last === undefined) return undefined;
  const clean = withoutRequestText(request);
  const call: FailedCall = {
    model: last.model,
    attempts: attempts.slice(-MAX_ATTEMPTS).map(({ deployment, duration, error: failure }) => ({
      provider: deployment.provider.name,
      upstream_model: deployment.upstreamModel,
      duration_ms: Math.round(duration),
      error_code: failure?.code,
      upstream_status: failure?.upstream?.status,
      upstream_code: clean(failure?.upstream?.code),
      upstream_message: clean(failure?.upstream?.message),
    })),
  };
  calls.set(error, call);
  return call;
}
