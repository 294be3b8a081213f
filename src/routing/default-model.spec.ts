import type { ResolvedModel } from './resolved-model.js';
import { servedDefault } from './default-model.js';

const tableOf = (...served: string[]): Parameters<typeof servedDefault>[0] => ({
  resolve: (name) => (served.includes(name) ? ({} as ResolvedModel) : undefined),
});

describe('the model of a request that names none', () => {
  it.each([
    [['a', 'b'], ['a', 'b'], 'a'],
    [['b', 'openai/a'], ['a', 'b'], 'b'],
    [['openai/b', 'openai/a'], ['a', 'b'], 'openai/a'],
    [['other/a'], ['a'], undefined],
    [['a'], [], undefined],
  ])('of %j, a request for %j gets %s', (served, names, expected) => {
    expect(servedDefault(tableOf(...served), names)).toBe(expected);
  });
});
