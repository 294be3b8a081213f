import fc from 'fast-check';
import { changedLines, diffLines } from './line-diff.js';

/** The new text, from the old one and what differs. */
function applied(before: string, diff: ReturnType<typeof diffLines>): string[] {
  const lines: (string | undefined)[] = before === '' ? [] : before.split('\n');
  const removed = new Set(diff.filter(({ kind }) => kind === 'removed').map((line) => line.before));
  const kept = lines.filter((_line, index) => !removed.has(index + 1));
  for (const line of diff) if (line.kind === 'added') kept.splice((line.after ?? 0) - 1, 0, line.text);
  return kept.map(String);
}

describe('the lines that differ', () => {
  it('turn the one text into the other', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', '  d'), { maxLength: 30 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = diffLines(before.join('\n'), after.join('\n'));
        expect(applied(before.join('\n'), diff)).toEqual(after);
        for (const line of diff) {
          if (line.before !== null) expect(before[line.before - 1]).toBe(line.text);
          if (line.after !== null) expect(after[line.after - 1]).toBe(line.text);
        }
      }),
    );
  });

  it('are few, with three around them', () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    const diff = diffLines(lines.join('\n'), lines.with(20, 'changed').join('\n'));
    expect(changedLines(diff)).toEqual({ added: 1, removed: 1 });
    expect(diff).toHaveLength(8);
    expect(diffLines('a\n', 'a\n')).toEqual([]);
  });

  it('of long texts that have nothing in common are found at once', () => {
    const many = (name: string): string => Array.from({ length: 5_000 }, (_, index) => `${name} ${index}`).join('\n');
    expect(changedLines(diffLines(many('a'), many('b')))).toEqual({ added: 5_000, removed: 5_000 });
  });
});
