import { notFound } from '../errors/gateway-error.js';

/** A text that becomes a part of a URL at the provider: without path traversal and query. */
const MODEL_ID = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w.:/@+-]{1,512}$/;
/** The client's headers that mean something to a provider of another format than the client's. */
const PASSED_HEADERS = ['traceparent', 'tracestate', 'x-client-request-id'];

/** @throws GatewayError 404 for an id that cannot stand in an address */
export function assertModelId(upstreamModel: string): void {
  if (!MODEL_ID.test(upstreamModel)) {
    throw notFound('The model does not exist at its provider.', 'model_not_found', 'model');
  }
}

/**
 * The client's headers that go to a provider of another format.
 *
 * @param further names, in lower case
 */
export function passedHeaders(
  headers: Readonly<Record<string, string>>,
  further: readonly string[] = [],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => PASSED_HEADERS.includes(name) || further.includes(name)),
  );
}
