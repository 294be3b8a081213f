import { boundTokens, type TokenCount } from '../../runtime/token-count.js';

/** A vector as numbers, or as base64 of little-endian 32-bit floats. */
export type EmbeddingVector = readonly number[] | string;

/** The response to one upstream call. */
export interface EmbeddingPart {
  /** Vectors in the order of the inputs. */
  readonly vectors: readonly EmbeddingVector[];
  /** Input tokens; undefined where the provider did not report them. */
  readonly tokens: TokenCount | undefined;
  /** The model that the provider says it ran; undefined where it does not say. */
  readonly model: string | undefined;
  /** The provider's body where it is what an OpenAI client expects, so that it can be sent on as it is. */
  readonly body?: string;
}

/** The response to a whole request. */
export interface EmbeddingResult extends Omit<EmbeddingPart, 'model'> {
  readonly model: string;
}

/**
 * The parts of a request that took several upstream calls, as one result. Tokens are known only where each call reported them.
 *
 * @param parts in the order of the inputs, at least one
 * @param model what to name where the provider does not name a model
 */
export function mergeParts(parts: readonly EmbeddingPart[], model: string): EmbeddingResult {
  const [first, ...others] = parts;
  const named = first?.model ?? model;
  if (first !== undefined && others.length === 0) return { ...first, model: named };
  let tokens: number | undefined = 0;
  for (const part of parts)
    tokens = tokens === undefined || part.tokens === undefined ? undefined : tokens + part.tokens;
  return {
    vectors: parts.flatMap(({ vectors }) => vectors),
    tokens: tokens === undefined ? undefined : boundTokens(tokens),
    model: named,
  };
}
