import fc from 'fast-check';
import { parseDuration, parseSize } from './units.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['30d', 2_592_000_000],
    [0, 0],
    ['0', 0],
  ])('reads %p as %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([['5'], [5], ['s'], ['5 sec'], ['-5s'], ['5S'], [''], [null], [true], ['1e3s'], ['99999999999999999d']])(
    'refuses %p',
    (value) => {
      expect(parseDuration(value)).toBeUndefined();
    },
  );

  it('reads every whole number of every unit', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.constantFrom('ms', 's', 'm', 'h', 'd'), (amount, unit) => {
        const factor = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[unit];
        expect(parseDuration(`${amount}${unit}`)).toBe(amount * factor);
      }),
    );
  });
});

describe('parseSize', () => {
  it.each([
    ['10B', 10],
    ['512KB', 524_288],
    ['32MB', 33_554_432],
    ['1GB', 1_073_741_824],
    [0, 0],
  ])('reads %p as %d bytes', (text, expected) => {
    expect(parseSize(text)).toBe(expected);
  });

  it('never throws, and gives a whole number or nothing', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const size = parseSize(value);
        expect(size === undefined || Number.isSafeInteger(size)).toBe(true);
      }),
    );
  });
});
