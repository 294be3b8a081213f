import { plausibleSeconds, type ByteSource } from './byte-source.js';

/** Kilobits in a second by version (MPEG 1, then 2 and 2.5) and layer (I, II, III). */
const KILOBITS: readonly (readonly (readonly number[])[])[] = [
  [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  [
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
];
const RATES = [44_100, 48_000, 32_000];
/** Bytes behind the tags in which the first frame is looked for. */
const SEARCH_BYTES = 8_192;

interface Frame {
  readonly rate: number;
  readonly kilobits: number;
  readonly samples: number;
  /** Where the table of a file with varying rate stands, from the start of the frame. */
  readonly table: number;
}

/** Seconds of an MP3 file: by the number of frames that its encoder noted, else by the rate of its first frame. */
export async function mp3Seconds(source: ByteSource): Promise<number | undefined> {
  const start = await tagLength(source);
  const bytes = await source.read(start, SEARCH_BYTES);
  for (let at = 0; at + 4 <= bytes.length; at += 1) {
    const frame = frameAt(bytes, at);
    if (frame === undefined) continue;
    const frames = frameCount(bytes, at, frame);
    if (frames !== undefined) return plausibleSeconds((frames * frame.samples) / frame.rate);
    return plausibleSeconds(((source.size - start - at) * 8) / (frame.kilobits * 1_000));
  }
  return undefined;
}

/** Bytes of the ID3v2 tag before the sound. */
async function tagLength(source: ByteSource): Promise<number> {
  const head = await source.read(0, 10);
  if (head.length < 10 || head.toString('latin1', 0, 3) !== 'ID3') return 0;
  // Four bytes of seven bits each.
  const length = [6, 7, 8, 9].reduce((sum, index) => sum * 128 + ((head[index] ?? 0) & 0x7f), 0);
  return 10 + length;
}

function frameAt(bytes: Buffer, at: number): Frame | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes.subarray(at, at + 4);
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  const version = (second >> 3) & 3;
  const layer = 4 - ((second >> 1) & 3);
  const rate = RATES[(third >> 2) & 3];
  const isFirstVersion = version === 3;
  const kilobits = KILOBITS[isFirstVersion ? 0 : 1]?.[layer - 1]?.[third >> 4];
  if (version === 1 || layer === 4 || rate === undefined || kilobits === undefined || kilobits === 0) return undefined;
  const isMono = fourth >> 6 === 3;
  const side = isFirstVersion ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  return {
    rate: rate / (isFirstVersion ? 1 : version === 2 ? 2 : 4),
    kilobits,
    samples: layer === 1 ? 384 : layer === 3 && !isFirstVersion ? 576 : 1_152,
    table: 4 + side,
  };
}

/** The number of frames as LAME and its like (`Xing`, `Info`) or Fraunhofer's encoder (`VBRI`) note it. */
function frameCount(bytes: Buffer, at: number, { table }: Frame): number | undefined {
  const id = bytes.toString('latin1', at + table, at + table + 4);
  if ((id === 'Xing' || id === 'Info') && bytes.length >= at + table + 12) {
    return (bytes.readUInt32BE(at + table + 4) & 1) === 1 ? bytes.readUInt32BE(at + table + 8) : undefined;
  }
  const fixed = at + 4 + 32;
  if (bytes.toString('latin1', fixed, fixed + 4) === 'VBRI' && bytes.length >= fixed + 18) {
    return bytes.readUInt32BE(fixed + 14);
  }
  return undefined;
}
