import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { detached } from './detached.js';

/** So many that what the test runner itself allocates or frees meanwhile, up to a megabyte, is a small part of the figure. */
const COUNT = 40_000;
const LINE_CHARACTERS = 1_000;

/** Bytes of the heap for each of many texts that were cut out of a long line each. */
function bytesPerText(keep: (text: string) => string, characters: number): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept: string[] = [];
  for (let at = 0; at < COUNT; at += 1) {
    const line = Buffer.alloc(LINE_CHARACTERS, 97 + (at % 26)).toString('latin1');
    kept.push(keep(line.slice(10, 10 + characters)));
  }
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  expect(kept.join('')).toHaveLength(COUNT * characters);
  return bytes / COUNT;
}

describe('a detached text', () => {
  it('is the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(20), (text, start) => {
        expect(detached(text.slice(start))).toBe(text.slice(start));
      }),
    );
  });

  it.each([4, 12, 13, 100])('of %i characters does not keep the line that it was cut out of', (characters) => {
    expect(bytesPerText(detached, characters)).toBeLessThan(LINE_CHARACTERS / 2);
  });

  it('would keep it otherwise', () => {
    expect(bytesPerText((text) => text, 100)).toBeGreaterThan(LINE_CHARACTERS / 2);
  });
});
