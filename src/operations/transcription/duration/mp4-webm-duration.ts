import { plausibleSeconds, type ByteSource } from './byte-source.js';

/** Boxes of a file that are looked at. */
const MAX_BOXES = 256;
/** Bytes of a WebM file in which its head is looked for. */
const WEBM_HEAD_BYTES = 65_536;
/** Nanoseconds of a tick of a WebM file that does not say it. */
const DEFAULT_SCALE = 1_000_000;
const INFO = Buffer.from([0x15, 0x49, 0xa9, 0x66]);
const SCALE = Buffer.from([0x2a, 0xd7, 0xb1]);
const DURATION = Buffer.from([0x44, 0x89]);

/** Seconds of an MP4 or M4A file: `mvhd` in `moov`, which may stand at the end. Its fragments may add to it (`mehd`). */
export async function mp4Seconds(source: ByteSource): Promise<number | undefined> {
  const movie = await findBox(source, 'moov', 0, source.size);
  if (movie === undefined) return undefined;
  const header = await findBox(source, 'mvhd', movie.start, movie.end);
  if (header === undefined) return undefined;
  const bytes = await source.read(header.start, 32);
  if (bytes.length < 32) return undefined;
  const isLong = bytes[0] === 1;
  const scale = bytes.readUInt32BE(isLong ? 20 : 12);
  const duration = isLong ? Number(bytes.readBigUInt64BE(24)) : bytes.readUInt32BE(16);
  return scale === 0 ? undefined : plausibleSeconds(duration / scale);
}

interface Box {
  readonly start: number;
  readonly end: number;
}

async function findBox(source: ByteSource, wanted: string, from: number, to: number): Promise<Box | undefined> {
  let position = from;
  for (let box = 0; box < MAX_BOXES && position + 8 <= to; box += 1) {
    const head = await source.read(position, 16);
    if (head.length < 8) return undefined;
    const short = head.readUInt32BE(0);
    const isLong = short === 1 && head.length === 16;
    const size = isLong ? Number(head.readBigUInt64BE(8)) : short === 0 ? to - position : short;
    const headBytes = isLong ? 16 : 8;
    if (size < headBytes) return undefined;
    const end = Math.min(to, position + size);
    if (head.toString('latin1', 4, 8) === wanted) return { start: position + headBytes, end };
    position = end;
  }
  return undefined;
}

/** Seconds of a WebM or Matroska file, where its head states them; browsers that record leave them out. */
export async function webmSeconds(source: ByteSource): Promise<number | undefined> {
  const bytes = await source.read(0, WEBM_HEAD_BYTES);
  const info = bytes.indexOf(INFO);
  if (info === -1) return undefined;
  const duration = elementAfter(bytes, DURATION, info);
  if (duration === undefined || (duration.length !== 4 && duration.length !== 8)) return undefined;
  const scale = elementAfter(bytes, SCALE, info);
  const ticks = duration.length === 4 ? duration.readFloatBE() : duration.readDoubleBE();
  const nanos =
    scale === undefined || scale.length > 6 || scale.length === 0 ? DEFAULT_SCALE : scale.readUIntBE(0, scale.length);
  return plausibleSeconds((ticks * nanos) / 1e9);
}

/** The content of a short element with that id. */
function elementAfter(bytes: Buffer, id: Buffer, from: number): Buffer | undefined {
  const at = bytes.indexOf(id, from);
  if (at === -1) return undefined;
  const length = (bytes[at + id.length] ?? 0) & 0x7f;
  const start = at + id.length + 1;
  return start + length > bytes.length ? undefined : bytes.subarray(start, start + length);
}
