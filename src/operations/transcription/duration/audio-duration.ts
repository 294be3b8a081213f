import type { ByteSource } from './byte-source.js';
import { flacSeconds, oggSeconds } from './flac-ogg-duration.js';
import { mp3Seconds } from './mp3-duration.js';
import { mp4Seconds, webmSeconds } from './mp4-webm-duration.js';
import { wavSeconds } from './riff-duration.js';

/** Bytes of a second of the most compressed speech that recorders make: 6 kbit/s, Opus's least. */
const MIN_BYTES_PER_SECOND = 750;
/** Bytes of a second as browsers and phones record it: 32 kbit/s. */
const LIKELY_BYTES_PER_SECOND = 4_000;
/** More bytes than the start of a file needs to be recognised. */
const MAGIC_BYTES = 16;

/** The duration of a recording in seconds. */
export interface AudioDuration {
  /** Stated by the file, or estimated from its size. */
  readonly likelySeconds: number;
  /** Stated by the file, or the longest duration that a file of this size can have. */
  readonly mostSeconds: number;
  /** Whether the file states it. */
  readonly isKnown: boolean;
}

/** The duration of a recording, from the head of its file. Only a few short ranges are read, for files of any size. */
export async function audioDuration(source: ByteSource): Promise<AudioDuration> {
  const seconds = await statedSeconds(source);
  if (seconds !== undefined) return { likelySeconds: seconds, mostSeconds: seconds, isKnown: true };
  return {
    likelySeconds: source.size / LIKELY_BYTES_PER_SECOND,
    mostSeconds: source.size / MIN_BYTES_PER_SECOND,
    isKnown: false,
  };
}

async function statedSeconds(source: ByteSource): Promise<number | undefined> {
  const magic = await source.read(0, MAGIC_BYTES);
  const text = magic.toString('latin1');
  if (text.startsWith('RIFF') && text.startsWith('WAVE', 8)) return wavSeconds(source);
  if (text.startsWith('fLaC')) return flacSeconds(source);
  if (text.startsWith('OggS')) return oggSeconds(source);
  if (text.startsWith('ftyp', 4)) return mp4Seconds(source);
  if (text.startsWith('\x1aE\xdf\xa3')) return webmSeconds(source);
  if (text.startsWith('ID3') || (magic[0] === 0xff && ((magic[1] ?? 0) & 0xe0) === 0xe0)) return mp3Seconds(source);
  return undefined;
}
