import fc from 'fast-check';
import { parsePlace, printPlace } from './list-place.js';

const id = fc
  .tuple(fc.constantFrom('key', 'group', 'batch', 'aud', 'use', 'rlog'), fc.stringMatching(/^[0-9a-f]{16,24}$/))
  .map(([kind, digits]) => `${kind}_${digits}`);

it('prints a place as a cursor that needs no encoding, and reads it back', () => {
  fc.assert(
    fc.property(id, fc.nat({ max: 4_102_444_800_000 }), (rowId, time) => {
      const cursor = printPlace({ id: rowId, time });
      expect(encodeURIComponent(cursor)).toBe(cursor);
      expect(cursor.length).toBeLessThanOrEqual(64);
      expect(parsePlace(cursor)).toEqual({ id: rowId, time });
    }),
  );
});

it.each([
  '',
  'key_1',
  'key_1.',
  'key_1.x',
  'key_1.-5',
  'key_1.1e9',
  '.5',
  'key_1.5.5',
  `key_1.${'9'.repeat(16)}`,
  'a b_1.5',
])('reads no place from %j', (text) => {
  expect(parsePlace(text)).toBeUndefined();
});
