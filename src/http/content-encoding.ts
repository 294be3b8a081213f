import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { unsupportedMediaType } from '../errors/to-gateway-error.js';

/** A decoder of zlib: a stream that also reports how many encoded bytes it has consumed. */
export type Decoder = Transform & { readonly bytesWritten: number };

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Makes the decoder of a `content-encoding`; undefined where the body comes as it is.
 *
 * @throws GatewayError 415 that names the encodings that are taken
 */
export function decoderFor(encoding: string | undefined): (() => Decoder) | undefined {
  const name = (encoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity' || name === '') return undefined;
  const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (decoder === undefined) {
    throw unsupportedMediaType(
      `Unsupported content-encoding '${name.slice(0, 40)}'. Send the body plain, or with one of gzip, deflate and br.`,
    );
  }
  return decoder;
}
