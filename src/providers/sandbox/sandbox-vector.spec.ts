import fc from 'fast-check';
import { fromBase64, toBase64 } from '../../operations/embeddings/float-bytes.js';
import { sandboxModerations } from './sandbox-moderation.js';
import { cosine, DEFAULT_DIMENSIONS, sandboxVector } from './sandbox-vector.js';

const similarity = (one: string, other: string): number =>
  cosine(sandboxVector(one, DEFAULT_DIMENSIONS), sandboxVector(other, DEFAULT_DIMENSIONS));

it('gives vectors of length 1, of the length asked for, the same for the same input', () => {
  const input = fc.oneof(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(), { minLength: 1 }));
  fc.assert(
    fc.property(input, fc.integer({ min: 1, max: 600 }), (given, dimensions) => {
      const vector = sandboxVector(given, dimensions);
      expect(vector).toHaveLength(dimensions);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
      expect(sandboxVector(given, dimensions)).toEqual(vector);
      expect(fromBase64(toBase64(vector))?.map((value) => value + 0)).toEqual(vector.map((value) => value + 0));
    }),
  );
});

it.each([
  ['Where is the station?', 'The station is behind the park.', 'Bring an umbrella tomorrow.'],
  ['a green car', 'green cars', 'seven old books'],
  ['Wie spät ist es?', 'WIE SPÄT', 'guten Morgen'],
])('%j is closer to %j than to %j', (text, near, far) => {
  expect(similarity(text, near)).toBeGreaterThan(similarity(text, far) + 0.1);
  expect(similarity(text, text)).toBeCloseTo(1, 4);
});

it('finds plain words, in the input that has them', () => {
  const [calm, violent] = sandboxModerations({ input: ['Where is the station?', 'I want to kill them.'] });
  expect(calm).toMatchObject({ flagged: false, categories: { violence: false } });
  expect(violent).toMatchObject({ flagged: true, categories: { violence: true, hate: false } });
  const parts = [
    { type: 'text', text: 'I want to' },
    { type: 'text', text: 'murder' },
    { type: 'image_url', image_url: { url: 'https://example.com' } },
  ];
  const [both, ...others] = sandboxModerations({ input: parts });
  expect(others).toEqual([]);
  expect(both).toMatchObject({
    flagged: true,
    category_applied_input_types: { violence: ['text', 'image'], hate: ['text'] },
  });
});
