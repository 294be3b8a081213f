import { boundTokens, type TokenCount } from '../../runtime/token-count.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { billedTokens } from '../billed-tokens.js';
import { countTokens } from '../chat/count-tokens.js';
import { InputEstimate } from '../input-estimate.js';
import { JsonOperation } from '../json-operation.js';
import type { Estimate, RecordingDetail, SpanAttributes } from '../operation.js';
import { estimateTokens } from '../text-tokens.js';
import { WholeResultCollector } from '../whole-result-collector.js';
import { inputsOf, type EmbeddingRequest } from './embedding-request.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'input',
  'dimensions',
  'encoding_format',
  'input_type',
  'user',
  'metadata',
  'strict_params',
]);

class EmbeddingOperation extends JsonOperation<'embeddings'> {
  override readonly name = 'embeddings';
  override readonly knownFields = KNOWN_FIELDS;

  override estimate(request: EmbeddingRequest): Estimate {
    return new InputEstimate(estimateTokens(inputsOf(request)));
  }

  override collector(request: EmbeddingRequest, detail: RecordingDetail): WholeResultCollector<'embeddings'> {
    return new WholeResultCollector<'embeddings'>(detail, {
      billed: ({ tokens }) => (tokens === undefined ? undefined : billedTokens(tokens, boundTokens(0))),
      estimate: async () => billedTokens(await countInputTokens(request), boundTokens(0)),
      recorded: ({ model, vectors }) => {
        // The vectors themselves are of no use to who reads a log, and far too long for it.
        return { id: undefined, model, content: { vectors: vectors.length }, isCut: vectors.length > 0 };
      },
      input: () => inputsOf(request),
    });
  }

  override metadataOf({ metadata }: EmbeddingRequest): JsonObject | null {
    return (metadata as JsonObject | null | undefined) ?? null;
  }

  override requestAttributes({ dimensions, encoding_format: format }: EmbeddingRequest): SpanAttributes {
    return {
      ...(typeof dimensions === 'number' && { 'gen_ai.embeddings.dimension.count': dimensions }),
      ...(typeof format === 'string' && { 'gen_ai.request.encoding_formats': [format] }),
    };
  }
}

/** Tokens of the inputs where the provider did not count them: texts by a tokenizer of OpenAI's, tokens by their number. */
export async function countInputTokens(request: EmbeddingRequest): Promise<TokenCount> {
  const texts: string[] = [];
  let tokens = 0;
  for (const input of inputsOf(request)) {
    if (typeof input === 'string') texts.push(input);
    else tokens += input.length;
  }
  return boundTokens(tokens + (await countTokens(texts)));
}

/** Vectors of texts. */
export const EMBEDDINGS = new EmbeddingOperation();
