import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CollectedText } from './collected-text.js';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/**
 * Bytes of the heap that `count` pieces of `characters` take, each cut out of a line that is ten times as long. What a
 * worker of the test runner allocates or frees in the meantime changes the figure by up to a megabyte, so what is
 * compared has to be many times that.
 */
function bytesOf(collect: (text: string) => void, count: number, characters: number): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < count; at += 1) {
    const line = Buffer.alloc(characters * 10, 97 + (at % 26)).toString('latin1');
    collect(line.slice(characters, characters * 2));
  }
  collectGarbage();
  return process.memoryUsage().heapUsed - before;
}

describe('collected text', () => {
  it('is all pieces in their order', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 200 }), (pieces) => {
        const text = new CollectedText();
        for (const piece of pieces) text.add(piece);
        expect([String(text), String(text)]).toEqual([pieces.join(''), pieces.join('')]);
        text.clear();
        text.add('again');
        expect(String(text)).toBe('again');
      }),
    );
  });

  it('does not keep the strings that its pieces were cut out of', () => {
    const [count, characters] = [40_000, 100];
    const pieces: string[] = [];
    const asPieces = bytesOf((text) => pieces.push(text), count, characters);
    const text = new CollectedText();
    const asText = bytesOf((piece) => text.add(piece), count, characters);
    expect([pieces.join('').length, String(text).length]).toEqual([count * characters, count * characters]);
    expect(asText).toBeLessThan(asPieces / 3);
  });
});
