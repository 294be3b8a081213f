import type { EmbeddingResult } from '../../operations/embeddings/embedding-result.js';
import type { TokenCount } from '../../runtime/token-count.js';

/**
 * The answer to `POST /v1/embeddings` as text.
 *
 * @param estimated what to name as usage where the provider did not report it
 */
export function writeEmbeddings({ vectors, tokens, model, body }: EmbeddingResult, estimated: TokenCount): string {
  if (body !== undefined) return body;
  const count = tokens ?? estimated;
  return JSON.stringify({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model,
    usage: { prompt_tokens: count, total_tokens: count },
  });
}
