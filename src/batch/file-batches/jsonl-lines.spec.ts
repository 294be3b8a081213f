import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { jsonlLines, type JsonlLine } from './jsonl-lines.js';

const MAX_BYTES = 1_000;

async function* chunksOf(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, bytes.length]) {
    await Promise.resolve();
    yield bytes.subarray(start, end);
    start = end;
  }
}
async function read(bytes: Buffer | string, cuts: readonly number[] = []): Promise<JsonlLine[]> {
  const lines: JsonlLine[] = [];
  for await (const line of jsonlLines(chunksOf(Buffer.from(bytes as string), cuts), MAX_BYTES)) lines.push(line);
  return lines;
}

describe('the lines of JSONL', () => {
  it('are found however the file is written, compressed and split', async () => {
    const value = fc.record({
      custom_id: fc.string({ unit: 'binary', maxLength: 20 }),
      separators: fc.constantFrom('', '\u2028\u2029\u0085'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(value, { freq: 4 }), { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.nat(2_000), { maxLength: 12 }),
        async (values, end, hasMark, endsWithBreak, isCompressed, cuts) => {
          const texts = values.map((each) => (each === null ? ' \t' : JSON.stringify(each)));
          const text = `${hasMark ? '\ufeff' : ''}${texts.join(end)}${endsWithBreak ? end : ''}`;
          const bytes = isCompressed ? gzipSync(text) : Buffer.from(text);
          const expected = texts.flatMap((each, index) =>
            values[index] === null ? [] : [{ number: index + 1, text: each }],
          );
          expect(await read(bytes, cuts)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that are too long or no UTF-8 are faults of their own, and the others are read', async () => {
    const long = 'x'.repeat(MAX_BYTES + 1);
    const bytes = Buffer.concat([
      Buffer.from(`{"a":1}\n${long}\n`),
      Buffer.from([0xff, 0x0a]),
      Buffer.from(`${'y'.repeat(MAX_BYTES)}\n${long}`),
    ]);
    for (const cuts of [[], [5, 300, 700, 1_013, 1_500]]) {
      expect(await read(bytes, cuts)).toEqual([
        { number: 1, text: '{"a":1}' },
        { number: 2, fault: 'too_long' },
        { number: 3, fault: 'not_utf8' },
        { number: 4, text: 'y'.repeat(MAX_BYTES) },
        { number: 5, fault: 'too_long' },
      ]);
    }
  });

  it('end with the error of the content, compressed or not', async () => {
    for (const start of [Buffer.from('{"a":1}'), gzipSync('{"a":1}').subarray(0, 15)]) {
      async function* broken(): AsyncGenerator<Buffer> {
        await Promise.resolve();
        yield start;
        throw new Error('gone');
      }
      const lines = jsonlLines(broken(), MAX_BYTES);
      await expect(lines.next()).rejects.toThrow('gone');
    }
  });

  it('of an empty file are none, and of broken gzip are an error', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('\ufeff\n\r\n')).toEqual([]);
    await expect(read(gzipSync('{"a":1}').subarray(0, 12))).rejects.toThrow();
    await expect(read(Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))).rejects.toThrow();
  });
});
