import type { EmbeddingInput } from '../../operations/embeddings/embedding-request.js';
import { estimateTokens } from '../../operations/text-tokens.js';
import type { EmbeddingWire } from './embedding-wire.js';

/** Inputs that follow each other in the request, for one upstream call. */
export interface InputGroup {
  /** Index of the first of them in the request. */
  readonly first: number;
  readonly inputs: readonly EmbeddingInput[];
}

/**
 * The inputs of a request in as few groups as a provider's limits allow, in order. A single input that is beyond the limit of
 * tokens goes alone, so that the provider says itself what it does with it.
 */
export function splitInputs(
  inputs: readonly EmbeddingInput[],
  { maxInputs, maxTokens = Infinity }: Pick<EmbeddingWire, 'maxInputs' | 'maxTokens'>,
): InputGroup[] {
  const groups: InputGroup[] = [];
  let first = 0;
  let tokens = 0;
  const close = (end: number): void => {
    if (end > first) groups.push({ first, inputs: inputs.slice(first, end) });
    first = end;
    tokens = 0;
  };
  for (const [index, input] of inputs.entries()) {
    const size = estimateTokens([input]).likely;
    if (index - first >= maxInputs || tokens + size > maxTokens) close(index);
    tokens += size;
  }
  close(inputs.length);
  return groups;
}
