/** Bytes of a 32-bit float. */
const FLOAT_BYTES = 4;
/** Base64 with or without padding. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** A vector as OpenAI encodes it: base64 of little-endian 32-bit floats. */
export function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * FLOAT_BYTES);
  for (let index = 0; index < vector.length; index += 1) bytes.writeFloatLE(vector[index] ?? 0, index * FLOAT_BYTES);
  return bytes.toString('base64');
}

/** The numbers of such a text; undefined where it is no base64 of whole floats, or where one of them is not finite. */
export function fromBase64(text: string): number[] | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) return undefined;
  const vector: number[] = [];
  for (let at = 0; at < bytes.length; at += FLOAT_BYTES) {
    const value = bytes.readFloatLE(at);
    if (!Number.isFinite(value)) return undefined;
    vector.push(value);
  }
  return vector;
}
