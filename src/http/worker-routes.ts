import type { NextFunction, Request, Response } from 'express';
import { notFound } from '../errors/gateway-error.js';
import { endBeforeBody } from './early-response.js';

const SERVED = /^\/(?:health(?:\/(?:live|ready))?|metrics|admin\/queues(?:\/.*)?)\/?(?:\?|$)/;

/** GATEWAY_ROLE=worker: a process that only works has nothing to offer to clients. */
export function refuseAllButHealth(request: Request, response: Response, next: NextFunction): void {
  if (SERVED.test(request.url)) {
    next();
    return;
  }
  const error = notFound('This process is a worker: it serves /health and /metrics alone.', 'not_found');
  endBeforeBody(request, response);
  response.status(error.status).json(error.toBody());
}
