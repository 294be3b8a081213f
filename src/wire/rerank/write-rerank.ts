import type { TokenCount } from '../../runtime/token-count.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { documentObject, type RerankRequest } from '../../operations/rerank/rerank-request.js';
import type { RerankResult } from '../../operations/rerank/rerank-result.js';

export interface RerankContext {
  readonly request: RerankRequest;
  /** For an answer without an id of the provider's own. */
  readonly newId: () => string;
  /** Of Cohere's API, by the path that was called. */
  readonly apiVersion: '1' | '2';
  /** What to name as usage where the provider reported neither tokens nor searches. */
  readonly estimated: TokenCount;
}

/**
 * The answer to a rerank request, in one shape for the clients of Cohere (`meta`) and of Jina and vLLM (`usage`).
 * Numbers that the provider did not report are not made up for `meta`.
 */
export function writeRerank(
  { id, model, results, usage }: RerankResult,
  { request, newId, apiVersion, estimated }: RerankContext,
): JsonObject {
  const tokens = usage.tokens ?? (usage.searchUnits === undefined ? estimated : undefined);
  return {
    id: id ?? newId(),
    object: 'list',
    model,
    results: results.map(({ index, score }) => ({
      index,
      relevance_score: score,
      ...(request.return_documents === true && { document: documentObject(request.documents[index] ?? '') }),
    })),
    meta: {
      api_version: { version: apiVersion },
      billed_units: {
        ...(usage.searchUnits !== undefined && { search_units: usage.searchUnits }),
        ...(usage.tokens !== undefined && { input_tokens: usage.tokens }),
      },
    },
    ...(tokens !== undefined && { usage: { prompt_tokens: tokens, total_tokens: tokens } }),
  };
}
