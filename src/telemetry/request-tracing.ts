import type { NextFunction, Request, Response } from 'express';

/** Makes the span of each HTTP request. Provided only where tracing is on. */
export abstract class RequestTracing {
  abstract readonly middleware: (request: Request, response: Response, next: NextFunction) => void;
}
