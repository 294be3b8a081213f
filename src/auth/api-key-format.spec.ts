import fc from 'fast-check';
import { generateKey, hintOf, parseKey, publicPart } from './api-key-format.js';

describe('the shape of a key', () => {
  it('is read back from every key that is made', () => {
    const seen = new Set<string>();
    for (let round = 0; round < 500; round += 1) {
      const made = generateKey();
      expect(parseKey(made.key)).toEqual(made);
      seen.add(made.key);
    }
    expect(seen.size).toBe(500);
  });

  it('keeps its id when it is rotated', () => {
    const first = generateKey();
    const second = generateKey(publicPart(first.id));
    expect(second.id).toBe(first.id);
    expect(second.key).not.toBe(first.key);
  });

  it('refuses a key with any one character changed, without a query', () => {
    const { key } = generateKey();
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...'aZ09_-. '), (at, character) => {
        fc.pre(key[at] !== character);
        expect(parseKey(key.slice(0, at) + character + key.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  it('never throws for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseKey(text) === undefined));
  });

  it('shows only the end of a key', () => {
    const { key } = generateKey();
    expect(hintOf(key)).toBe(`...${key.slice(-8)}`);
  });
});
