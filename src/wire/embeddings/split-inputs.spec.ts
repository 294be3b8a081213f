import fc from 'fast-check';
import { readTokenCount } from '../../runtime/token-count.js';
import { inputsOf, type EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import { mergeParts } from '../../operations/embeddings/embedding-result.js';
import { estimateTokens } from '../../operations/text-tokens.js';
import { splitInputs } from './split-inputs.js';

const text = fc.string({ maxLength: 40 });
const tokens = fc.array(fc.nat(), { minLength: 1, maxLength: 20 });
const input: fc.Arbitrary<EmbeddingRequest['input']> = fc.oneof(
  text,
  tokens,
  fc.array(text, { minLength: 1, maxLength: 60 }),
  fc.array(tokens, { minLength: 1, maxLength: 60 }),
);
const limits = fc.record({ maxInputs: fc.integer({ min: 1, max: 9 }), maxTokens: fc.integer({ min: 1, max: 60 }) });

it('keeps order, limits and sums for any limits', () => {
  fc.assert(
    fc.property(input, limits, (given, limit) => {
      const inputs = inputsOf({ input: given });
      const groups = splitInputs(inputs, limit);
      expect(groups.flatMap((group) => group.inputs)).toEqual(inputs);
      for (const group of groups) {
        expect(inputs[group.first]).toBe(group.inputs[0]);
        expect(group.inputs.length).toBeLessThanOrEqual(limit.maxInputs);
        if (group.inputs.length > 1) expect(estimateTokens(group.inputs).likely).toBeLessThanOrEqual(limit.maxTokens);
      }
      const result = mergeParts(
        groups.map((group) => ({
          vectors: group.inputs.map((_, index) => [group.first + index]),
          tokens: readTokenCount(group.inputs.length),
          model: undefined,
        })),
        'fallback',
      );
      expect(result.vectors).toEqual(inputs.map((_, index) => [index]));
      expect(result).toMatchObject({ tokens: inputs.length, model: 'fallback' });
    }),
  );
});

it('makes no more groups than the limit needs', () => {
  const sizes = splitInputs(new Array<string>(250).fill('x'), { maxInputs: 96 }).map((group) => group.inputs.length);
  expect(sizes).toEqual([96, 96, 58]);
});

it('knows no sum where one call reported nothing', () => {
  const part = { vectors: [[1]], tokens: readTokenCount(3), model: 'm' };
  expect(mergeParts([part, { ...part, tokens: undefined }], 'x').tokens).toBeUndefined();
  expect(mergeParts([part, part], 'x')).toEqual({ vectors: [[1], [1]], tokens: 6, model: 'm' });
});
