import { boundTokens } from '../../runtime/token-count.js';
import type { RerankRequest } from '../../operations/rerank/rerank-request.js';
import { bestFirst, type RerankResult } from '../../operations/rerank/rerank-result.js';
import type { DocumentGroup, RerankPart } from './rerank-wire.js';

/** The documents of a request in as few groups as a provider's limit allows, of nearly equal size, in order. */
export function splitDocuments(count: number, maxDocuments: number): DocumentGroup[] {
  const groups = Math.max(1, Math.ceil(count / maxDocuments));
  const size = Math.ceil(count / groups);
  return Array.from({ length: groups }, (_, index) => ({
    first: index * size,
    count: Math.max(0, Math.min(size, count - index * size)),
  })).filter((group) => group.count > 0);
}

/** The parts of a request that took several upstream calls, as one result. What only some calls reported is unknown. */
export function mergeRanks(parts: readonly RerankPart[], request: RerankRequest, model: string): RerankResult {
  const [first] = parts;
  const tokens = sum(parts.map(({ usage }) => usage.tokens));
  return {
    id: first?.id,
    model: first?.model ?? model,
    results: bestFirst(
      parts.flatMap(({ results }) => results),
      request.top_n,
    ),
    usage: {
      tokens: tokens === undefined ? undefined : boundTokens(tokens),
      searchUnits: sum(parts.map(({ usage }) => usage.searchUnits)),
    },
  };
}

function sum(counts: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const count of counts) {
    if (count === undefined) return undefined;
    total += count;
  }
  return total;
}
