import type { HttpPreparation } from '../http/exchange.js';

/** Makes the span of each HTTP request. Provided only where tracing is on. */
export abstract class RequestTracing {
  abstract readonly prepare: HttpPreparation;
}
