import type { JsonObject } from '../../runtime/json-value.js';
import type { RerankRequest } from '../../operations/rerank/rerank-request.js';
import type { RankedDocument, RerankUsage } from '../../operations/rerank/rerank-result.js';

/** One upstream call, without transport and credentials. */
export interface WrittenRerank {
  /** Path that is appended to the provider's base URL, with a leading slash. */
  readonly path: string;
  readonly body: JsonObject;
}

/** Documents that follow each other in the request, for one upstream call. */
export interface DocumentGroup {
  /** Index of the first of them in the request. */
  readonly first: number;
  readonly count: number;
}

/** The response to one upstream call. */
export interface RerankPart {
  readonly id: string | undefined;
  readonly model: string | undefined;
  /** Indexes as in the request. */
  readonly results: readonly RankedDocument[];
  readonly usage: RerankUsage;
}

/** Reranking in the wire format of a provider, as its client. Pure: no I/O. */
export interface RerankWire {
  /** Most documents of one upstream call. */
  readonly maxDocuments: number;
  /** Members of the request that the wire format has no place for, by the client's names. */
  dropped(request: RerankRequest): string[];
  /** @throws GatewayError 400 that names the member which the provider cannot take */
  write(request: RerankRequest, group: DocumentGroup): WrittenRerank;
  /** @throws GatewayError `upstream_error` for anything but scores of documents of the group */
  read(text: string, group: DocumentGroup): RerankPart;
}
