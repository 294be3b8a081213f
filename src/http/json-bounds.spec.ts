import { assertDepth, MAX_DEPTH } from './json-bounds.js';

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
}

describe('assertDepth', () => {
  it.each([
    ['arrays', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
  ])('takes %s up to the bound and refuses one level more', (_name, wrap) => {
    expect(() => {
      assertDepth(nested(MAX_DEPTH, wrap));
    }).not.toThrow();
    expect(() => {
      assertDepth(nested(MAX_DEPTH + 1, wrap));
    }).toThrow('nested deeper');
  });

  it('ends at once on a body of a hundred thousand levels', () => {
    expect(() => {
      assertDepth(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)));
    }).toThrow('nested deeper');
  });
});
