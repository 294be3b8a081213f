import { readTokenCount, type TokenCount } from '../../runtime/token-count.js';
import { upstreamError, type GatewayError } from '../../errors/gateway-error.js';
import type { EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import type { EmbeddingVector } from '../../operations/embeddings/embedding-result.js';
import { fromBase64, toBase64 } from '../../operations/embeddings/float-bytes.js';

/** 502: a response with status 200 that does not contain a vector for each input. */
export function badEmbeddings(what: string): GatewayError {
  return upstreamError({ message: `The upstream provider answered with ${what} instead of embeddings.` });
}

/** A list of vectors as numbers, one for each input. @throws GatewayError `upstream_error` */
export function readVectors(value: unknown, count: number): (readonly number[])[] {
  if (!Array.isArray(value)) throw badEmbeddings('no list');
  if (value.length !== count) throw badEmbeddings(`${value.length} vectors for ${count} inputs`);
  return value.map(readNumbers);
}

/** One vector as numbers. Servers write a NaN as null, which no client could use. @throws GatewayError `upstream_error` */
export function readNumbers(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) throw badEmbeddings('something that is no vector');
  for (const item of value as readonly unknown[]) {
    if (typeof item !== 'number' || !Number.isFinite(item))
      throw badEmbeddings('a vector with values that are no numbers');
  }
  return value as number[];
}

/** A vector in the encoding that the client asked for. @throws GatewayError `upstream_error` for a text that is no vector */
export function encodeVector(vector: EmbeddingVector, { encoding_format: format }: EmbeddingRequest): EmbeddingVector {
  if (typeof vector !== 'string') return format === 'base64' ? toBase64(vector) : vector;
  if (format === 'base64') return vector;
  const numbers = fromBase64(vector);
  if (numbers === undefined) throw badEmbeddings('text that is no vector in base64');
  return numbers;
}

/** A count that a provider gives as a header. */
export function countInHeader(value: string | readonly string[] | undefined): TokenCount | undefined {
  return typeof value === 'string' && /^\d{1,10}$/.test(value) ? readTokenCount(Number(value)) : undefined;
}
