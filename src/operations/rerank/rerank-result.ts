import type { TokenCount } from '../../runtime/token-count.js';

/** One document's place. */
export interface RankedDocument {
  /** Index of the document in the request. */
  readonly index: number;
  readonly score: number;
}

/** The billed units of a rerank call; each only if the provider reported it. */
export interface RerankUsage {
  readonly tokens: TokenCount | undefined;
  /** Cohere: one for a query with up to 100 documents, of which long ones count several times. */
  readonly searchUnits: number | undefined;
}

/** The result of a rerank request, best document first. */
export interface RerankResult {
  readonly id: string | undefined;
  readonly model: string;
  /** Best first, at most `top_n`. */
  readonly results: readonly RankedDocument[];
  readonly usage: RerankUsage;
}

/** Results best first and as many as asked for; of equal ones the earlier document. */
export function bestFirst(results: readonly RankedDocument[], topN: number | null | undefined): RankedDocument[] {
  const sorted = results.toSorted((one, other) => other.score - one.score || one.index - other.index);
  return topN == null ? sorted : sorted.slice(0, topN);
}
