import fc from 'fast-check';
import type { BatchJob } from '../batch-job.entity.js';
import type { ResultReader, ResultRef } from '../results/result-reader.js';
import { PartCutter, type Part, type Place } from './part-cutter.js';
import { resultPieces } from './result-pieces.js';

/** A reader of results that are texts, and of which some are read in pieces. */
function readerOf(results: readonly Buffer[], pieceBytes: number): Pick<ResultReader, 'list' | 'read'> {
  return {
    list: (_job, { after, limit }) =>
      Promise.resolve(
        results
          .map((bytes, index): ResultRef => ({ index, bytes: bytes.length }))
          .filter(({ index }) => index > after)
          .slice(0, limit),
      ),
    async *read(_id, refs) {
      for (const { index } of refs) {
        const bytes = results[index] ?? Buffer.alloc(0);
        for (let start = 0; start < bytes.length; start += pieceBytes) {
          await Promise.resolve();
          yield [bytes.subarray(start, start + pieceBytes)];
        }
      }
    },
  };
}

describe('the parts of an output', () => {
  const JOB: Pick<BatchJob, 'id' | 'taskCount'> = { id: 'batch_1', taskCount: 1_000 };

  /** The parts from a place on, the rest last. */
  async function partsOf(
    results: readonly Buffer[],
    { pieceBytes, partBytes }: { pieceBytes: number; partBytes: number },
    from: Place,
  ): Promise<Part[]> {
    const cutter = new PartCutter(partBytes);
    const parts: Part[] = [];
    for await (const piece of resultPieces(readerOf(results, pieceBytes), JOB, from)) {
      parts.push(...cutter.add(piece));
    }
    parts.push({ body: cutter.rest(), next: { after: JOB.taskCount, skip: 0 } });
    return parts;
  }

  it('are all results once, of one size, and the same from the place of any of them on', async () => {
    const result = fc
      .tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 255 }))
      .map(([size, byte]) => Buffer.from(Uint8Array.from({ length: size }, (_value, index) => byte + index)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(result, { maxLength: 30 }),
        fc.record({ pieceBytes: fc.integer({ min: 1, max: 300 }), partBytes: fc.integer({ min: 20, max: 500 }) }),
        async (results, sizes) => {
          const whole = Buffer.concat(results);
          const parts = await partsOf(results, sizes, { after: -1, skip: 0 });
          expect(Buffer.concat(parts.map(({ body }) => body)).equals(whole)).toBe(true);
          expect(parts.slice(0, -1).every(({ body }) => body.length === sizes.partBytes)).toBe(true);
          for (const [index, { next }] of parts.slice(0, -1).entries()) {
            // A restart may read in pieces of another size, as a newer version may.
            const rest = await partsOf(results, { ...sizes, pieceBytes: 7 }, next);
            const expected = whole.subarray((index + 1) * sizes.partBytes);
            expect(Buffer.concat(rest.map(({ body }) => body)).equals(expected)).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are cut within results that are larger than what is read at once', async () => {
    const results = [3_000_000, 10, 1_500_000, 700_000, 700_000].map((size, index) => Buffer.alloc(size, index + 97));
    const whole = Buffer.concat(results);
    const sizes = { pieceBytes: 400_000, partBytes: 1_100_000 };
    const parts = await partsOf(results, sizes, { after: -1, skip: 0 });
    expect(parts).toHaveLength(6);
    for (const [index, { next }] of parts.slice(0, -1).entries()) {
      const rest = Buffer.concat((await partsOf(results, sizes, next)).map(({ body }) => body));
      expect(rest.equals(whole.subarray((index + 1) * sizes.partBytes))).toBe(true);
    }
  });
});
