import type { RequestHook } from '../http/http-types.js';

/** Creates the span of each HTTP request. Provided only where tracing is on. */
export abstract class RequestTracing {
  abstract readonly prepare: RequestHook;
}
