import type { ServerResponse } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/** A signal that is aborted when the connection of a response closes: its client has left, or the response has ended. */
export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** The same as a parameter of a controller's method. */
export const ClientGone = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  goneSignal(context.switchToHttp().getResponse<ServerResponse>()),
);
