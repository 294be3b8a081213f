import { estimateTokens, type InputTokens } from '../text-tokens.js';
import { documentContent, type RerankRequest } from './rerank-request.js';

/** Documents that one search unit pays for. */
const DOCUMENTS_PER_UNIT = 100;
/** Tokens of a document and its query from which on it counts as several documents. */
const TOKENS_PER_DOCUMENT = 500;

/** The estimated size of a rerank call. */
export interface RerankEstimate extends InputTokens {
  readonly likelyUnits: number;
  readonly mostUnits: number;
}

/** The estimated size of a rerank call: the model reads the query with each document, which is how providers count tokens. */
export function estimateRerank({ query, documents }: RerankRequest): RerankEstimate {
  const ofQuery = estimateTokens([query]);
  let [likely, most, likelyDocuments, mostDocuments] = [0, 0, 0, 0];
  for (const document of documents) {
    const size = estimateTokens([documentContent(document)]);
    const pair = { likely: ofQuery.likely + size.likely, most: ofQuery.most + size.most };
    likely += pair.likely;
    most += pair.most;
    likelyDocuments += Math.ceil(pair.likely / TOKENS_PER_DOCUMENT);
    mostDocuments += Math.ceil(pair.most / TOKENS_PER_DOCUMENT);
  }
  return {
    likely,
    most,
    likelyUnits: Math.ceil(likelyDocuments / DOCUMENTS_PER_UNIT),
    mostUnits: Math.ceil(mostDocuments / DOCUMENTS_PER_UNIT),
  };
}
