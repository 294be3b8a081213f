import 'reflect-metadata';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { IsNotBlank } from './is-not-blank.js';

class Named {
  @IsNotBlank()
  name!: string;
}
const faults = (name: string): string[] =>
  validateSync(Object.assign(new Named(), { name })).flatMap((fault) => Object.values(fault.constraints ?? {}));
const INVISIBLE = [
  ' ',
  '\t',
  '\n',
  '\r',
  '\u00a0',
  '\u2003',
  '\u3000',
  '\u200b',
  '\u2060',
  '\ufeff',
  '\u0000',
  '\u0085',
];

describe('a name', () => {
  it('of white space and other characters that cannot be seen is refused', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...INVISIBLE), { maxLength: 20 }), (characters) => {
        expect(faults(characters.join(''))).toEqual(['name must hold a character that is not white space']);
      }),
    );
  });

  it('with one visible character anywhere is taken', () => {
    const spaces = fc.array(fc.constantFrom(...INVISIBLE), { maxLength: 5 }).map((each) => each.join(''));
    fc.assert(
      fc.property(spaces, fc.constantFrom('a', '0', '-', 'é', '名', '😀', '.'), spaces, (before, visible, after) => {
        expect(faults(before + visible + after)).toEqual([]);
      }),
    );
  });
});
