import { boundTokens, type TokenCount } from '../../runtime/token-count.js';
import { RERANK_FORMAT } from '../../runtime/wire-name.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { billedTokens } from '../billed-tokens.js';
import { countTokens } from '../chat/count-tokens.js';
import { InputEstimate } from '../input-estimate.js';
import { JsonOperation } from '../json-operation.js';
import type { Estimate, RecordingDetail } from '../operation.js';
import { WholeResultCollector } from '../whole-result-collector.js';
import { estimateRerank } from './estimate-rerank.js';
import { documentContent, type RerankRequest } from './rerank-request.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'query',
  'documents',
  'top_n',
  'return_documents',
  'rank_fields',
  'max_tokens_per_doc',
  'metadata',
  'strict_params',
]);

class RerankOperation extends JsonOperation<'rerank'> {
  override readonly name = 'rerank';
  override readonly knownFields = KNOWN_FIELDS;

  override estimate(request: RerankRequest): Estimate {
    const { likely, most, mostUnits } = estimateRerank(request);
    return new InputEstimate({ likely, most }, { searchUnits: mostUnits });
  }

  override collector(request: RerankRequest, detail: RecordingDetail): WholeResultCollector<'rerank'> {
    return new WholeResultCollector<'rerank'>(detail, {
      billed: ({ usage: { tokens, searchUnits } }) => {
        if (tokens === undefined && searchUnits === undefined) return undefined;
        const ofTokens = billedTokens(tokens ?? boundTokens(0), boundTokens(0));
        return searchUnits === undefined ? ofTokens : { ...ofTokens, units: { searchUnits } };
      },
      estimate: async () => ({
        ...billedTokens(await countRerankTokens(request), boundTokens(0)),
        units: { searchUnits: estimateRerank(request).likelyUnits },
      }),
      recorded: ({ id, model, results }) => ({ id, model, content: { results }, isCut: false }),
      input: () => ({ query: request.query, documents: request.documents }),
    });
  }

  override wireFormatOf(): string {
    return RERANK_FORMAT;
  }

  override metadataOf({ metadata }: RerankRequest): JsonObject | null {
    return (metadata as JsonObject | null | undefined) ?? null;
  }
}

/** Tokens of query and documents where the provider did not count them: the model reads the query with each document. */
export async function countRerankTokens({ query, documents }: RerankRequest): Promise<TokenCount> {
  const [ofQuery, ofDocuments] = await Promise.all([countTokens([query]), countTokens(documents.map(documentContent))]);
  return boundTokens(ofQuery * documents.length + ofDocuments);
}

/** Documents by how well they fit a query. */
export const RERANK = new RerankOperation();
