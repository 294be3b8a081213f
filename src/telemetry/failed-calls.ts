import type { CallOutcome } from '../calls/call-outcome.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { withoutRequestText } from './without-request-text.js';

/** Attempts of one call that are logged; the last ones. */
const MAX_ATTEMPTS = 10;

/** The logged fields of one attempt, failed or successful. */
export interface LoggedAttempt {
  readonly provider: string;
  readonly upstream_model: string;
  readonly duration_ms: number;
  readonly error_code: string | null | undefined;
  readonly upstream_status: number | undefined;
  readonly upstream_code: string | undefined;
  readonly upstream_message: string | undefined;
}

/** The logged fields of a failed call. */
export interface FailedCall {
  readonly model: string;
  readonly attempts: readonly LoggedAttempt[];
}

/** Keyed by the error that the client receives, by which the line of the HTTP request finds it. */
const calls = new WeakMap<GatewayError, FailedCall>();

/** The failed call that was attached to an error; undefined if there is none. */
export function failedCallOf(error: GatewayError): FailedCall | undefined {
  return calls.get(error);
}

/** @returns undefined for a call that did not fail, or that was refused by the gateway before it chose a model */
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
