import fc from 'fast-check';
import { fromBase64, toBase64 } from './float-bytes.js';

const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });

it('writes what OpenAI writes: little-endian 32-bit floats', () => {
  // 1.0 is 00 00 80 3f, -2.5 is 00 00 20 c0.
  expect(toBase64([1, -2.5])).toBe('AACAPwAAIMA=');
  expect(fromBase64('AACAPwAAIMA=')).toEqual([1, -2.5]);
  expect(fromBase64('AACAPwAAIMA')).toEqual([1, -2.5]);
});

it('reads what it wrote, and writes what it read', () => {
  fc.assert(
    fc.property(floats, (vector) => {
      const text = toBase64(vector);
      const read = fromBase64(text);
      expect(read?.map((value) => value + 0)).toEqual(vector.map((value) => value + 0));
      expect(toBase64(read ?? [])).toBe(text);
    }),
  );
});

it.each(['', '!', 'AACA', 'AACAPw==x', 'AADAfw==', 'AACAfw=='])('%p is no vector', (text) => {
  expect(fromBase64(text)).toBeUndefined();
});
