import { mapErrorResponse } from '../../wire/errors/map-error.js';
import type { ResponseLimits, UpstreamResponse } from './response-text.js';
import type { UpstreamRequest } from './upstream-request.js';

/** A request as it would be sent to the provider. */
export interface ExchangedRequest {
  /** Path and query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The provider's response to it. */
export interface ExchangedResponse {
  readonly status: number;
  readonly text: string;
}

/** Carries a request to the provider, and its response back, in place of an HTTP request: as a line of a provider's batch. */
export type Exchange = (request: ExchangedRequest) => Promise<ExchangedResponse>;

/** Reads a response that comes by an exchange. @throws GatewayError for any status but a success; what the exchange throws */
export async function readExchanged(
  exchange: Exchange,
  { path, headers, body }: UpstreamRequest,
  { redact }: ResponseLimits,
): Promise<UpstreamResponse> {
  const names: Record<string, string> = {};
  for (let at = 0; at + 1 < headers.length; at += 2) names[(headers[at] ?? '').toLowerCase()] = headers[at + 1] ?? '';
  if (!Buffer.isBuffer(body)) throw new TypeError('only a request with a body in memory can be exchanged');
  const { status, text } = await exchange({ path, headers: names, body });
  if (status > 299) throw mapErrorResponse(status, {}, text, redact, Date.now());
  return { status, headers: {}, text };
}
