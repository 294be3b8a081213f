import { plausibleSeconds, type ByteSource } from './byte-source.js';

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** Chunks that are looked at before the sound. */
const MAX_CHUNKS = 64;

/** Seconds of a WAV file: the bytes of its sound by the bytes of a second. A recorder that streams leaves the length out. */
export async function wavSeconds(source: ByteSource): Promise<number | undefined> {
  let position = HEADER_BYTES;
  let bytesPerSecond = 0;
  for (let chunk = 0; chunk < MAX_CHUNKS; chunk += 1) {
    const head = await source.read(position, CHUNK_HEADER_BYTES + 16);
    if (head.length < CHUNK_HEADER_BYTES) return undefined;
    const id = head.toString('latin1', 0, 4);
    const length = head.readUInt32LE(4);
    position += CHUNK_HEADER_BYTES;
    if (id === 'fmt ' && head.length >= CHUNK_HEADER_BYTES + 12) bytesPerSecond = head.readUInt32LE(16);
    if (id === 'data') {
      const bytes = Math.min(length, source.size - position);
      return bytesPerSecond === 0 ? undefined : plausibleSeconds(bytes / bytesPerSecond);
    }
    position += length + (length % 2);
  }
  return undefined;
}
