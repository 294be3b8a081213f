import { type GatewayError, upstreamError, upstreamUnavailable } from '../../errors/gateway-error.js';

/**
 * Why no credentials could be had from a cloud. The message is for the operator: it names the service and the fix, and holds
 * no secret.
 */
export class LoginError extends Error {
  /** @param isTransient whether the same login may succeed shortly: a connection fault, a timeout, a status of 500 or above */
  constructor(
    message: string,
    readonly isTransient: boolean,
    /** HTTP status of the service, where it has responded. */
    readonly status?: number,
    /** Its own code of the error. */
    readonly code?: string,
  ) {
    super(message);
    this.name = 'LoginError';
  }
}

/**
 * The error for the client after a failed login: 503 where a later request may succeed, otherwise 502. An error of its own for each
 * call, as several calls wait for one login.
 */
export function loginFailed(reason: unknown): GatewayError {
  const isTransient = !(reason instanceof LoginError) || reason.isTransient;
  const error = isTransient
    ? upstreamUnavailable({
        message: "The gateway cannot log in to the upstream provider's cloud now. Try again later.",
        isConnectionFault: true,
        cause: reason,
      })
    : upstreamError({
        message:
          "The gateway's login to the upstream provider's cloud failed. The operator of the gateway must check its credentials.",
        cause: reason,
      });
  if (reason instanceof LoginError) {
    error.upstream = { status: reason.status, code: reason.code ?? 'login_failed', message: reason.message };
  }
  return error;
}
