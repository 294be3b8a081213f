import 'reflect-metadata';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { ChatCompletionRequestDto } from './chat-completion-request.dto.js';
import { DECLARED, toStreamOptions } from './chat-request.pipe.js';
import { isSurelyValid } from './fast-path-validation.js';

const anything = fc.oneof(
  fc.jsonValue(),
  fc.boolean(),
  fc.integer(),
  fc.integer({ min: -1, max: 130 }),
  fc.double(),
  fc.double({ min: -0.5, max: 2.5 }),
  fc.string(),
  fc.string({ minLength: 60, maxLength: 70 }),
  fc.string({ minLength: 500, maxLength: 1100 }),
  fc.record({ include_usage: fc.oneof(fc.boolean(), fc.string()) }),
);
const fields = fc.record(Object.fromEntries([...DECLARED, 'stream_options'].map((name) => [name, anything])), {
  requiredKeys: [],
});

function isValid(request: Readonly<Record<string, unknown>>): boolean {
  const dto = new ChatCompletionRequestDto();
  Object.assign(dto, request);
  if (request['stream_options'] !== undefined) dto.stream_options = toStreamOptions(request['stream_options']);
  return validateSync(dto, { forbidUnknownValues: false }).length === 0;
}

describe('isSurelyValid', () => {
  it('never passes what class-validator would not', () => {
    let passed = 0;
    fc.assert(
      fc.property(fields, fc.string({ maxLength: 300 }), fc.boolean(), (others, model, hasFewFields) => {
        const [first] = Object.entries(others);
        const request = { ...(hasFewFields ? Object.fromEntries(first === undefined ? [] : [first]) : others), model };
        if (!isSurelyValid(request)) return;
        passed += 1;
        expect({ request, isValid: isValid(request) }).toEqual({ request, isValid: true });
      }),
      { numRuns: 1_500 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it.each([
    [{}, true],
    [{ max_tokens: 200, temperature: 0.5, stream: true, stream_options: { include_usage: true } }, true],
    [{ n: 2, top_p: 1, user: 'ada', stop: '\n' }, true],
    [{ temperature: 2.1 }, false],
    [{ max_tokens: 1.5 }, false],
    [{ tools: [] }, false],
  ])('of %j says %s', (others, isSure) => {
    expect(isSurelyValid({ model: 'gpt', ...others })).toBe(isSure);
  });
});
