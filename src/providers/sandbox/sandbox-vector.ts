import type { EmbeddingInput } from '../../operations/embeddings/embedding-request.js';

/** Length of vectors where the request does not say it. */
export const DEFAULT_DIMENSIONS = 256;
/** The longest that the sandbox makes. */
export const MAX_DIMENSIONS = 4_096;
/** Characters of a piece of a word. */
const PIECE_CHARACTERS = 3;
const WORDS = /[\p{L}\p{N}]+/gu;
/** FNV-1a, 32 bits. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * A vector of length 1, the same for the same text, and closer for texts that share words or pieces of words: each word and
 * each piece adds to a place that its hash names. Words in another case are the same words.
 */
export function sandboxVector(input: EmbeddingInput, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  for (const feature of featuresOf(input)) {
    const hash = hashOf(feature);
    const at = hash % dimensions;
    // The highest bit gives the sign and is not used for the position, so that the two are independent.
    vector[at] = (vector[at] ?? 0) + (hash >>> 31 === 0 ? 1 : -1);
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  const scale = length === 0 ? 1 : length;
  // As 32-bit floats, so that both encodings of a response have the same numbers.
  return vector.map((value) => Math.fround(value / scale));
}

/** The cosine of the angle between two vectors of length 1. */
export function cosine(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (const [index, value] of one.entries()) sum += value * (other[index] ?? 0);
  return sum;
}

function* featuresOf(input: EmbeddingInput): Generator<string> {
  if (typeof input !== 'string') {
    for (const token of input) yield `t${token}`;
    return;
  }
  for (const [word] of input.toLowerCase().matchAll(WORDS)) {
    yield `w${word}`;
    const padded = `^${word}$`;
    for (let at = 0; at + PIECE_CHARACTERS <= padded.length; at += 1) yield padded.slice(at, at + PIECE_CHARACTERS);
  }
}

function hashOf(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  }
  // FNV changes the high bits of short texts little.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
