import type { NextFunction, Request, Response } from 'express';

const UNPREFIXED =
  /^\/(?:chat|completions|messages|responses|embeddings|rerank|moderations|images|audio|models|batch|batches|files|uploads|key|session|admin)(?=[/?]|$)/;

/**
 * Serves every /v1 route without the prefix as well, for clients whose base URL lacks it. It changes only how the path
 * is read: who may call is decided on the handler that the path leads to.
 */
export function addVersionPrefix(request: Request, _response: Response, next: NextFunction): void {
  if (UNPREFIXED.test(request.url)) request.url = `/v1${request.url}`;
  next();
}
