import { GatewayError, upstreamError, upstreamTimeout, upstreamUnavailable } from '../../errors/gateway-error.js';
import { isOutOfDescriptors } from '../../runtime/descriptors.js';

/** The phases of a call, each with its own timeout. */
export type Phase = 'connect' | 'firstByte' | 'idle';

/** A phase took longer than its time. */
export function phaseTimeout(phase: Phase, milliseconds: number): GatewayError {
  const seconds = `${milliseconds / 1000} s`;
  switch (phase) {
    case 'connect':
      return upstreamTimeout({
        message: `The upstream provider did not accept a connection within ${seconds}.`,
        isConnectionFault: true,
      });
    case 'firstByte':
      return upstreamTimeout({
        message: `The upstream provider did not begin to answer within ${seconds}.`,
        mayBeBilled: true,
      });
    case 'idle':
      return upstreamTimeout({
        message: `The upstream provider went silent in the middle of its answer for ${seconds}.`,
        mayBeBilled: true,
      });
  }
}

/**
 * The error for the client after a connection failure: constant text, because the cause contains addresses.
 *
 * @param mayBeBilled whether some of the response had come
 */
export function transportError(cause: unknown, phase: Phase, mayBeBilled: boolean): GatewayError {
  if (phase === 'connect' && isOutOfDescriptors(cause)) {
    return upstreamUnavailable({
      message: 'The gateway has too many open connections to make another one. Retry shortly.',
      retryAfterMs: 1_000,
      rejectedByGateway: true,
      cause,
    });
  }
  const message =
    phase === 'connect'
      ? 'The upstream provider could not be reached.'
      : phase === 'firstByte'
        ? 'The upstream provider closed the connection before it answered.'
        : 'The upstream provider broke off in the middle of its answer.';
  return upstreamError({ message, cause, mayBeBilled, isConnectionFault: phase === 'connect' });
}

/** How a server that had closed an idle connection shows, when the next request has just been written to it. */
export function isClosedSocket(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code === 'UND_ERR_SOCKET';
}
