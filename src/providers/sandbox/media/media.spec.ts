import { createHash } from 'node:crypto';
import { crc32, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { wavSeconds } from '../../../operations/transcription/duration/riff-duration.js';
import { pngImage } from './png-image.js';
import { segmentsOf, toSrt, toVtt } from './subtitles.js';
import { SAMPLE_RATE_HZ, toneSamples, wavFile } from './wav-sound.js';

/** The chunks of a PNG, each checked against its CRC. */
function chunksOf(png: Buffer): Map<string, Buffer> {
  expect(png.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const typed = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(typed));
    chunks.set(typed.toString('latin1', 0, 4), typed.subarray(4));
    at += 12 + length;
  }
  return chunks;
}

describe('pngImage', () => {
  it('is a valid PNG of the size that is asked for', async () => {
    const sides = fc.integer({ min: 1, max: 300 });
    await fc.assert(
      fc.asyncProperty(sides, sides, fc.boolean(), async (width, height, isTransparent) => {
        const chunks = chunksOf(await pngImage({ width, height }, 'seed', isTransparent));
        const header = chunks.get('IHDR');
        expect([header?.readUInt32BE(0), header?.readUInt32BE(4)]).toEqual([width, height]);
        const pixels = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
        expect(pixels.length).toBe(height * (1 + Math.ceil(width / 2)));
        expect(chunks.has('tRNS')).toBe(isTransparent);
        expect([...chunks.keys()].at(-1)).toBe('IEND');
      }),
      { numRuns: 40 },
    );
  });

  it('follows from its seed, and is small', async () => {
    const size = { width: 1_536, height: 1_024 };
    const [first, again, other] = await Promise.all(['a', 'a', 'b'].map((seed) => pngImage(size, seed)));
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
    expect(first!.length).toBeLessThan(50_000);
  });
});

describe('wavFile', () => {
  it.each([
    ['a word', 'hi', 1, 0.25],
    ['a sentence', 'a somewhat longer sentence', 1, 1.35],
    ['a sentence', 'a somewhat longer sentence', 2, 0.675],
    ['a thousand words', 'word '.repeat(1_000), 1, 20],
  ])('reads %s out in the time that it takes', async (_name, text, speed, seconds) => {
    const file = wavFile(toneSamples(text, speed));
    const source = { size: file.length, read: (at: number, n: number) => Promise.resolve(file.subarray(at, at + n)) };
    expect(await wavSeconds(source)).toBeCloseTo(seconds, 3);
    expect(file.length).toBe(44 + Math.round(seconds * SAMPLE_RATE_HZ) * 2);
  });

  it('follows from its text, and is no silence', () => {
    const digest = (text: string): string => createHash('sha256').update(toneSamples(text, 1)).digest('hex');
    expect(digest('one two')).toBe(digest('one two'));
    expect(digest('one two')).not.toBe(digest('two one'));
    expect(toneSamples('one', 1).some((byte) => byte !== 0)).toBe(true);
  });
});

describe('subtitles', () => {
  it('spread the words over the recording', () => {
    const segments = segmentsOf('one two three four five six seven', 3_723.5);
    expect(segments.map(({ text }) => text)).toEqual(['one two three four five six', 'seven']);
    expect(toSrt(segments)).toBe(
      '1\n00:00:00,000 --> 00:53:11,571\none two three four five six\n\n2\n00:53:11,571 --> 01:02:03,500\nseven\n\n',
    );
    expect(toVtt(segments)).toMatch(/^WEBVTT\n\n00:00:00\.000 --> 00:53:11\.571\none two/);
  });
});
