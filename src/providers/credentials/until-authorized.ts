import { GatewayError } from '../../errors/gateway-error.js';
import { LinkedAbort } from '../../runtime/linked-abort.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import type { Redact } from '../../wire/errors/redact.js';
import type { AuthorizationHeaders, Authorize } from './authorize.js';

/** Shorter parts of an authorization header are names, dates and the like. */
const MIN_SECRET_CHARACTERS = 16;

/** A request with its credentials. */
export interface Authorized {
  readonly authorization: AuthorizationHeaders;
}

/**
 * Sends a request; once more where the provider refuses its credentials with 401 or 403 and the login gives other ones, because
 * the provider has not worked on it then.
 *
 * @param prepare adds credentials to the request, each time anew
 * @param send rejects with a GatewayError that has the provider's status
 * @throws what `prepare` and `send` throw, and the reason of the signal
 */
export async function untilAuthorized<Prepared extends Authorized, Result>(
  { refused }: Authorize,
  signal: CancelSignal,
  prepare: () => Promise<Prepared>,
  send: (prepared: Prepared) => Promise<Result>,
): Promise<Result> {
  const prepared = await prepare();
  if (refused === undefined) return send(prepared);
  try {
    return await send(prepared);
  } catch (error) {
    const status = error instanceof GatewayError ? error.upstream?.status : undefined;
    if (status !== 401 && status !== 403) throw error;
    if (!(await raced(refused(prepared.authorization), signal))) throw error;
  }
  return send(await prepare());
}

/** A value, or the reason of the signal when that comes first. */
export async function raced<Value>(value: Value | Promise<Value>, signal: CancelSignal): Promise<Value> {
  if (!(value instanceof Promise)) return value;
  const linked = new LinkedAbort(signal);
  try {
    return await linked.race(value);
  } finally {
    linked.unlink();
  }
}

/** Also removes the credentials of this request, which a login may have fetched just now. */
export function withoutCredentials(authorization: AuthorizationHeaders, redact: Redact): Redact {
  return (text) => {
    let clean = text;
    for (const value of Object.values(authorization)) {
      for (const secret of [value, ...value.split(/[\s,=/]+/)]) {
        if (secret.length >= MIN_SECRET_CHARACTERS) clean = clean.replaceAll(secret, '[redacted]');
      }
    }
    return redact(clean);
  };
}
