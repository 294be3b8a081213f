import fc from 'fast-check';
import { toCsv } from './csv.js';

describe('toCsv', () => {
  it('quotes what needs it and defuses formulas', () => {
    const rows = [
      { a: 'x,"y"', b: 1.5, c: null },
      { a: '=1+1', b: -2, c: 'two\nlines' },
    ];
    expect(toCsv(['a', 'b', 'c'], rows)).toBe('a,b,c\r\n"x,""y""",1.5,\r\n\'=1+1,-2,"two\nlines"\r\n');
  });

  it('has as many cells as columns for any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (texts) => {
        const names = texts.map((_text, index) => `c${index}`);
        const csv = toCsv(names, [Object.fromEntries(texts.map((text, index) => [`c${index}`, text]))]);
        const row = csv.slice(csv.indexOf('\r\n') + 2, -2);
        expect(parseRow(row)).toEqual(texts.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)));
      }),
    );
  });
});

function parseRow(row: string): string[] {
  const cells: string[] = [];
  let rest = row;
  for (;;) {
    const [whole = '', quoted, plain = ''] = /^(?:"((?:[^"]|"")*)"|([^,]*))/.exec(rest) ?? [];
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (rest.length === whole.length) return cells;
    rest = rest.slice(whole.length + 1);
  }
}
