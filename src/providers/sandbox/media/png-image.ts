import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';

const deflateAsync = promisify(deflate);
const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Cells of the pattern across the image, mirrored around its middle. */
const CELLS = 8;
const BITS_PER_PIXEL = 4;
/** A colour index for each of the two pixels of a byte. */
const BOTH_PIXELS = 0x11;

/** The size of an image in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/**
 * A PNG (RFC 2083) of cells in up to 15 colours, which follow from the seed: the same seed is the same picture, another is
 * another one. With indexed colours of four bits and few different rows it stays small at any size.
 */
export async function pngImage({ width, height }: ImageSize, seed: string, isTransparent = false): Promise<Buffer> {
  const hash = createHash('sha256').update(seed).digest();
  const rowBytes = Math.ceil((width * BITS_PER_PIXEL) / 8);
  const rows: Buffer[] = [];
  let last: { cell: number; row: Buffer } | undefined;
  for (let y = 0; y < height; y += 1) {
    const cell = Math.floor((y * CELLS) / height);
    if (last?.cell !== cell) last = { cell, row: rowOf(hash, cell, width, rowBytes) };
    rows.push(last.row);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Depth, indexed colour; the only compression and filter method that there is, not interlaced.
  header.set([BITS_PER_PIXEL, 3, 0, 0, 0], 8);
  const pixels = await deflateAsync(Buffer.concat(rows), { level: 6 });
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', paletteOf(hash)),
    ...(isTransparent ? [chunk('tRNS', Buffer.from([0]))] : []),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A row without a filter: a leading 0, then the pixels. */
function rowOf(hash: Buffer, cellY: number, width: number, rowBytes: number): Buffer {
  const row = Buffer.alloc(1 + rowBytes);
  for (let byte = 0; byte < rowBytes; byte += 1) {
    const cellX = Math.floor((byte * 2 * CELLS) / width);
    const mirrored = Math.min(cellX, CELLS - 1 - cellX);
    const value = hash[(cellY * CELLS + Math.max(0, mirrored) * 3) % hash.length] ?? 0;
    row[1 + byte] = (value % 2 === 0 ? 0 : value % 16) * BOTH_PIXELS;
  }
  return row;
}

function paletteOf(hash: Buffer): Buffer {
  const palette = Buffer.alloc(16 * 3);
  palette.set([245, 245, 240]);
  for (let index = 3; index < palette.length; index += 1) palette[index] = hash[(index * 7) % hash.length] ?? 0;
  return palette;
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(4 + typed.length + 4);
  frame.writeUInt32BE(data.length, 0);
  typed.copy(frame, 4);
  frame.writeUInt32BE(crc32(typed), 4 + typed.length);
  return frame;
}
