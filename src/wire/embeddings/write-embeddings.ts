import type { EmbeddingResult } from '../../operations/embeddings/embedding-result.js';
import type { TokenCount } from '../../runtime/token-count.js';

/**
 * The response to `POST /v1/embeddings` as text.
 *
 * @param countTokens for the usage of a provider that reported none
 */
export async function writeEmbeddings(
  { vectors, tokens, model, body }: EmbeddingResult,
  countTokens: () => Promise<TokenCount>,
): Promise<string> {
  if (body !== undefined) return body;
  const count = tokens ?? (await countTokens());
  return JSON.stringify({
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model,
    usage: { prompt_tokens: count, total_tokens: count },
  });
}
