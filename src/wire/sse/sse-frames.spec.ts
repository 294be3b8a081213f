import fc from 'fast-check';
import { frameData, SseFrames } from './sse-frames.js';
import { SseParser } from './sse-parser.js';

function cut(bytes: Buffer, splits: readonly number[] = []): Buffer[] {
  const frames = new SseFrames();
  const found: Buffer[] = [];
  let start = 0;
  for (const split of [...splits.map((at) => Math.min(at, bytes.length)), bytes.length].sort((a, b) => a - b)) {
    found.push(...frames.push(bytes.subarray(start, split)));
    start = split;
  }
  const rest = frames.end();
  return rest === undefined ? found : [...found, rest];
}

const stream = fc
  .array(
    fc.constantFrom(
      'data: {"a":1}',
      'data:',
      'data',
      'data:x',
      'event: e',
      ': ping',
      'id: 1',
      '\n',
      '\r\n',
      'datum: 1',
      'é',
      'data: \r',
    ),
    {
      maxLength: 25,
    },
  )
  // A lone CR ends a line by the standard; no provider sends one, so none is looked for.
  .map((lines) => Buffer.from(lines.join('').replace(/\r(?!\n)/g, '')));

describe('SseFrames', () => {
  it('gives every byte once, in the same frames however the bytes are split, and the events of the parser', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200)), (bytes, splits) => {
        const frames = cut(bytes);
        expect(Buffer.concat(frames)).toEqual(bytes);
        expect(cut(bytes, splits)).toEqual(frames);
        expect(cut(bytes, [...bytes.keys()])).toEqual(frames);
        const parser = new SseParser();
        const events = [...parser.push(bytes), ...parser.end()];
        const data = frames.flatMap((frame) => frameData(frame) ?? []);
        expect(data.map(String)).toEqual(events.map((event) => event.data));
      }),
      { numRuns: 1_000 },
    );
  });

  it('holds a frame to its limit', () => {
    const frames = new SseFrames(10);
    expect(frames.push(Buffer.from('data: 1\n\n'))).toHaveLength(1);
    expect(() => frames.push(Buffer.from('data: 1234567'))).toThrow(/larger than 10 bytes/);
  });
});
