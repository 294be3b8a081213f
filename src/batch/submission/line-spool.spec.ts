import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { LineSpool } from './line-spool.js';

describe('a spool of lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives lines back in their order, from memory and from a file without a name', () => {
    const line = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom(1, 1_000, 200_000));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (parts) => {
        const lines = parts.map(([text, times]) => text.replaceAll(/[\n\r]/g, '').repeat(times));
        const spool = new LineSpool(folder);
        for (const each of lines) spool.add(each);
        expect(spool.count).toBe(lines.length);
        expect([...spool.lines()].every((each, index) => each === lines[index])).toBe(true);
        expect([...spool.lines()]).toHaveLength(lines.length);
        expect(readdirSync(folder)).toEqual([]);
        spool.dispose();
      }),
      { numRuns: 15 },
    );
  });
});
