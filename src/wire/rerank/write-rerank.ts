import type { TokenCount } from '../../runtime/token-count.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { documentObject, type RerankRequest } from '../../operations/rerank/rerank-request.js';
import type { RerankResult } from '../../operations/rerank/rerank-result.js';

/** Version of Cohere's API, by the path that was called. */
export type RerankApiVersion = '1' | '2';

/** The facts about a call that a writer needs. */
export interface RerankContext {
  readonly request: RerankRequest;
  /** Id of a response for which the provider gave none. */
  readonly newId: () => string;
  readonly apiVersion: RerankApiVersion;
  /** The usage where the provider reported no tokens and no searches. */
  readonly countTokens: () => Promise<TokenCount>;
}

/**
 * The response to a rerank request, in one shape for the clients of Cohere (`meta`) and of Jina and vLLM (`usage`).
 * `meta` contains only numbers that the provider reported.
 */
export async function writeRerank(
  { id, model, results, usage }: RerankResult,
  { request, newId, apiVersion, countTokens }: RerankContext,
): Promise<JsonObject> {
  const tokens = usage.tokens ?? (usage.searchUnits === undefined ? await countTokens() : undefined);
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
