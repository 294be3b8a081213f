import fc from 'fast-check';
import { audioDuration } from './audio-duration.js';
import { MAX_SECONDS, type ByteSource } from './byte-source.js';

/** Heads of short recordings as FFmpeg writes them: a name, the size, the seconds, and stretches of the file in base64. */
const RECORDINGS: readonly [string, number, number, readonly [number, string][]][] = [
  [
    'a.wav',
    112078,
    3.5,
    [
      [
        0,
        'UklGRsa1AQBXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAATElTVBoAAABJTkZPSVNGVA4AAABMYXZmNjIuMTIuMTAyAGRhdGGAtQEAAACaBgINBxN6GDMdDSHsI7glZSbtJQ==',
      ],
    ],
  ],
  ['a.flac', 51716, 3.5, [[0, 'ZkxhQwAAACISABIAAAKrAAVGCsRA8AACWu4DVATZ0RjPMFVCmUGvdp3W']]],
  [
    'a.opus',
    34798,
    3.5,
    [
      [0, 'T2dnUwACAAAAAAAAAABq4tZaAAAAAO7rdPUBE09wdXNIZWFkAQE4AYC7AAAAAABPZ2dTAAAAAAAAAAAAAGri1g=='],
      [29198, 'T2dnUwAEeJECAAAAAABq4tZaBQAAAHjpVJ8b0A=='],
    ],
  ],
  [
    'a.mp3',
    28439,
    3.5265,
    [
      [
        0,
        'SUQzBAAAAAAAI1RTU0UAAAAPAAADTGF2ZjYyLjEyLjEwMgAAAAAAAAAAAAAA//tAwAAAAAAAAAAAAAAAAAAAAAAASW5mbwAAAA8AAACHAABu6gAFBwsMDhIU',
      ],
    ],
  ],
  [
    'low.mp3',
    14438,
    3.5527,
    [
      [
        0,
        'SUQzBAAAAAAAI1RTU0UAAAAPAAADTGF2ZjYyLjEyLjEwMgAAAAAAAAAAAAAA//NwwAAAAAAAAAAAAEluZm8AAAAPAAAAiAAAODkABggMDhATFRcbHR8iJCgq',
      ],
    ],
  ],
  [
    'noxing.mp3',
    28212,
    3.5265,
    [
      [
        0,
        '//tQxAAACoRDOFWUgAF0FWhnONAAB6rDjjOF82TxocEIHJgfXh9YHEcEHonlsy26D6g7E2vw+GBQFAQDAoJEDE5o0aNGD7xACAIYnB/gg6c6fOcv5zl/OdPu',
      ],
    ],
  ],
  [
    'a.m4a',
    32068,
    3.5,
    [
      [0, 'AAAAHGZ0eXBpc29tAAACAGlzb21pc28ybXA0MQAAAAhmcmVlAAB3sW1kYXTeAgBM'],
      [30677, 'AAAFb21vb3YAAABsbXZoZAAAAAAAAAAAAAAAAAAAA+gAAA2sAAEAAAEAAAAAAAAAAAAAAAABAAAAAAAA'],
    ],
  ],
  [
    'a.webm',
    36123,
    3.508,
    [
      [
        0,
        'GkXfo59ChoEBQveBAULygQRC84EIQoKEd2VibUKHgQRChYECGFOAZwEAAAAAAIzrEU2bdLpNu4tTq4QVSalmU6yBoU27i1OrhBZUrmtTrIHYTbuMU6uEElTDZ1OsggFCTbuMU6uEHFO7a1OsgozV7AEAAAAAAABZAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVSalmsirXsYMPQkBNgI1MYXZmNjIuMTIuMTAyV0GNTGF2ZjYyLjEyLjEwMkSJiECraAAAAAAAFlSua+U=',
      ],
    ],
  ],
];

function fileOf(size: number, stretches: readonly [number, string][]): Buffer {
  const bytes = Buffer.alloc(size);
  for (const [at, base64] of stretches) Buffer.from(base64, 'base64').copy(bytes, at);
  return bytes;
}

function sourceOf(bytes: Buffer): ByteSource & { bytesRead: number } {
  return {
    size: bytes.length,
    bytesRead: 0,
    read(position, length) {
      const stretch = bytes.subarray(position, position + length);
      this.bytesRead += stretch.length;
      return Promise.resolve(stretch);
    },
  };
}

describe('audioDuration', () => {
  it.each(RECORDINGS)('reads %s', async (_name, size, seconds, stretches) => {
    const duration = await audioDuration(sourceOf(fileOf(size, stretches)));
    expect(duration.isKnown).toBe(true);
    expect(duration.likelySeconds).toBeCloseTo(seconds, 3);
  });

  it('reads a WAV file whose length the recorder did not know', async () => {
    const [, size, seconds, stretches] = RECORDINGS[0]!;
    const bytes = fileOf(size, stretches);
    bytes.writeUInt32LE(0xffff_ffff, bytes.indexOf('data') + 4);
    expect((await audioDuration(sourceOf(bytes))).mostSeconds).toBeCloseTo(seconds, 3);
  });

  it('takes the longest that a file of its size may last where the file does not state it', async () => {
    expect(await audioDuration(sourceOf(Buffer.from('no sound at all')))).toEqual({
      likelySeconds: 0.003_75,
      mostSeconds: 0.02,
      isKnown: false,
    });
  });

  it('gives a plausible number for damaged files, and reads little of them', async () => {
    const damaged = fc.record({
      recording: fc.constantFrom(...RECORDINGS),
      changes: fc.array(fc.tuple(fc.nat(150), fc.nat(255)), { maxLength: 12 }),
      cut: fc.nat(200),
      isCut: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(damaged, async ({ recording: [, size, , stretches], changes, cut, isCut }) => {
        const bytes = fileOf(size, stretches);
        for (const [at, value] of changes) bytes[at] = value;
        const source = sourceOf(isCut ? bytes.subarray(0, cut) : bytes);
        const { mostSeconds: seconds, likelySeconds } = await audioDuration(source);
        expect(likelySeconds).toBeLessThanOrEqual(seconds);
        expect(Number.isFinite(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(0);
        expect(seconds).toBeLessThanOrEqual(MAX_SECONDS);
        expect(source.bytesRead).toBeLessThan(150_000);
      }),
      { numRuns: 500 },
    );
  });
});
