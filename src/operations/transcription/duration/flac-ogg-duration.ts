import { plausibleSeconds, type ByteSource } from './byte-source.js';

/** Bytes at the end of a file in which the last page of an Ogg stream begins: a page has at most 65,307. */
const LAST_PAGE_BYTES = 70_000;
/** The clock of Opus, independent of the sample rate of the recording. */
const OPUS_RATE_HZ = 48_000;
const PAGE = Buffer.from('OggS');

/** Seconds of a FLAC file: its first block states rate and number of samples. */
export async function flacSeconds(source: ByteSource): Promise<number | undefined> {
  const head = await source.read(0, 42);
  if (head.length < 26) return undefined;
  // 20 bits of rate, 3 of channels, 5 of depth, 36 of samples.
  const rate = head.readUIntBE(18, 3) >> 4;
  const samples = ((head[21] ?? 0) & 0x0f) * 2 ** 32 + head.readUInt32BE(22);
  return rate === 0 ? undefined : plausibleSeconds(samples / rate);
}

/** Seconds of an Ogg file with Opus or Vorbis: the position at which its last page ends. */
export async function oggSeconds(source: ByteSource): Promise<number | undefined> {
  const head = await source.read(0, 512);
  const opus = head.indexOf('OpusHead');
  const vorbis = head.indexOf('\x01vorbis', 0, 'latin1');
  let rate: number;
  let skipped = 0;
  if (opus !== -1 && head.length >= opus + 12) {
    rate = OPUS_RATE_HZ;
    skipped = head.readUInt16LE(opus + 10);
  } else if (vorbis !== -1 && head.length >= vorbis + 16) rate = head.readUInt32LE(vorbis + 12);
  else return undefined;
  const tail = await source.read(Math.max(0, source.size - LAST_PAGE_BYTES), LAST_PAGE_BYTES);
  const page = tail.lastIndexOf(PAGE);
  if (page === -1 || tail.length < page + 14 || rate === 0) return undefined;
  return plausibleSeconds((Number(tail.readBigInt64LE(page + 6)) - skipped) / rate);
}
