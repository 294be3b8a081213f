import { inputsOf, type EmbeddingInput, type EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingResult } from '../../operations/embeddings/embedding-result.js';
import { toBase64 } from '../../operations/embeddings/float-bytes.js';
import { moderationTexts, type ModerationRequest } from '../../operations/moderations/moderation-request.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';
import { documentTexts, type RerankRequest } from '../../operations/rerank/rerank-request.js';
import { bestFirst, type RankedDocument, type RerankResult } from '../../operations/rerank/rerank-result.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import { boundTokens } from '../../runtime/token-count.js';
import { assertFloats } from '../../wire/embeddings/write-inputs.js';
import type { ProviderCall } from '../provider.js';
import { beyondBound, MAX_PROMPT_CHARACTERS } from './sandbox-bounds.js';
import { sandboxModerations } from './sandbox-moderation.js';
import { cosine, DEFAULT_DIMENSIONS, MAX_DIMENSIONS, sandboxVector } from './sandbox-vector.js';

/** Characters, or tokens, of one text. */
const MAX_TEXT_CHARACTERS = 100_000;
/** Numbers of all vectors of a response together. */
const MAX_NUMBERS = 1_000_000;
/** Characters after which others get their turn on the event loop. */
const CHARACTERS_PER_TURN = 20_000;
/** Decimals of a score. */
const SCORE_DECIMALS = 6;

/** Vectors that are closer for texts with the same words. */
export async function embedInSandbox(
  { request, signal }: ProviderCall<EmbeddingRequest>,
  model: string,
): Promise<EmbeddingResult> {
  assertFloats(request);
  const inputs = inputsOf(request);
  const dimensions = request.dimensions ?? DEFAULT_DIMENSIONS;
  if (dimensions > MAX_DIMENSIONS)
    throw beyondBound(`makes vectors of at most ${MAX_DIMENSIONS} numbers`, 'dimensions');
  if (inputs.length * dimensions > MAX_NUMBERS) {
    throw beyondBound(`makes vectors of at most ${MAX_NUMBERS} numbers in all`, 'input');
  }
  const vectors = await vectorsOf(inputs, dimensions, 'input', signal);
  return {
    model,
    vectors: request.encoding_format === 'base64' ? vectors.map(toBase64) : vectors,
    tokens: boundTokens(inputs.reduce((sum, input) => sum + wordsIn(input), 0)),
  };
}

/** Documents by how many words, and pieces of words, they share with the query. */
export async function rerankInSandbox(
  { request, signal }: ProviderCall<RerankRequest>,
  model: string,
): Promise<RerankResult> {
  const texts = documentTexts(request);
  const [query = []] = await vectorsOf([request.query], DEFAULT_DIMENSIONS, 'query', signal);
  const vectors = await vectorsOf(texts, DEFAULT_DIMENSIONS, 'documents', signal);
  const results: RankedDocument[] = vectors.map((vector, index) => ({
    index,
    score: Number(Math.min(1, Math.max(0, cosine(query, vector))).toFixed(SCORE_DECIMALS)),
  }));
  const words = texts.reduce((sum, text) => sum + wordsIn(text), wordsIn(request.query) * texts.length);
  return {
    id: undefined,
    model,
    results: bestFirst(results, request.top_n),
    usage: { tokens: boundTokens(words), searchUnits: undefined },
  };
}

/** The categories whose words the text has. */
export function moderateInSandbox({ request }: ProviderCall<ModerationRequest>, model: string): ModerationResult {
  const texts = moderationTexts(request);
  assertLengths(texts, 'input');
  return {
    id: undefined,
    model,
    results: sandboxModerations(request),
    tokens: boundTokens(texts.reduce((sum, text) => sum + wordsIn(text), 0)),
  };
}

async function vectorsOf(
  inputs: readonly EmbeddingInput[],
  dimensions: number,
  param: string,
  signal: CancelSignal,
): Promise<number[][]> {
  assertLengths(inputs, param);
  const vectors: number[][] = [];
  let characters = 0;
  for (const input of inputs) {
    vectors.push(sandboxVector(input, dimensions));
    characters += input.length + dimensions;
    if (characters < CHARACTERS_PER_TURN) continue;
    characters = 0;
    await new Promise(setImmediate);
    signal.throwIfAborted();
  }
  return vectors;
}

function assertLengths(inputs: readonly EmbeddingInput[], param: string): void {
  let sum = 0;
  for (const { length } of inputs) {
    if (length > MAX_TEXT_CHARACTERS)
      throw beyondBound(`reads texts of at most ${MAX_TEXT_CHARACTERS} characters`, param);
    sum += length;
  }
  if (sum > MAX_PROMPT_CHARACTERS) throw beyondBound(`reads at most ${MAX_PROMPT_CHARACTERS} characters in all`, param);
}

/** A word counts as a token, as in the sandbox's chat. */
function wordsIn(input: EmbeddingInput): number {
  return typeof input === 'string' ? (input.match(/\S+/g) ?? []).length : input.length;
}
