import type { ServerResponse } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { clientClosedRequest } from '../errors/to-gateway-error.js';

/**
 * A signal that is aborted, with the error 499, when the connection of a response closes: its client has left, or the response has
 * ended.
 */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort(clientClosedRequest());
  if (response.closed) abort();
  else response.once('close', abort);
  return gone.signal;
}

/** The same as a parameter of a controller's method. */
export const ClientGone = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  goneSignal(context.switchToHttp().getResponse<ServerResponse>()),
);
