import { coversModel, mayCallModel } from './may-call-model.js';
import type { Principal } from './principal.js';

const withModels = (allowedModels: string[] | null): Principal => ({
  keyId: 'key_1',
  name: 'test',
  scopes: new Set(['inference'] as const),
  allowedModels,
  groupId: null,
  accounts: [],
});

describe('the models that a key may call', () => {
  it.each([
    [null, 'anything', true],
    [[], 'fast', false],
    [['fast'], 'fast', true],
    [['fast'], 'faster', false],
    [['openai/*'], 'openai/gpt-5', true],
    [['openai/*'], 'openai', false],
    [['openai/*'], 'openai-eu/gpt-5', false],
    [['*'], 'a/b', true],
  ])('%j and %s: %s', (allowed, model, expected) => {
    expect(mayCallModel(withModels(allowed), model)).toBe(expected);
  });

  it('covers a narrower pattern, and never a wider one', () => {
    expect(coversModel('openai/*', 'openai/gpt/*')).toBe(true);
    expect(coversModel('openai/gpt/*', 'openai/*')).toBe(false);
    expect(coversModel('openai/*', '*')).toBe(false);
  });
});
