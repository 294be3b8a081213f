import fc from 'fast-check';
import { PrefixOrder, type RankedTask } from './prefix-order.js';

function orderOf(requests: readonly object[]): RankedTask[] {
  const order = new PrefixOrder('m');
  order.add(requests.map((request, index) => ({ customId: `${index}`, request: JSON.stringify(request) })));
  return [...order.groups()].flat();
}
const chat = (system: string, text: string): object => ({
  messages: [
    { role: 'system', content: system },
    { role: 'user', content: text },
  ],
});

describe('the order by prefix', () => {
  it('brings prompts together that begin alike, however they were mixed', () => {
    const prefix = fc.constantFrom('a', 'b', 'c', 'd').map((letter) => letter.repeat(2_000));
    fc.assert(
      fc.property(fc.array(fc.tuple(prefix, fc.string()), { minLength: 1, maxLength: 60 }), (pairs) => {
        const order = orderOf(pairs.map(([system, text]) => chat(system, text)));
        expect(order.map(({ taskIndex }) => taskIndex).sort((a, b) => a - b)).toEqual([...pairs.keys()]);
        expect(order.map(({ rank }) => rank)).toEqual(order.map((_task, index) => index + 1));
        const runs = order
          .map(({ taskIndex }) => pairs[taskIndex]?.[0])
          .filter((each, index, all) => each !== all[index - 1]);
        expect(runs).toHaveLength(new Set(runs).size);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the order of tasks that share nothing, and sorts within a shared beginning by what more they share', () => {
    const long = 'x'.repeat(5_000);
    const order = orderOf([
      chat(`${long}1`, 'a'),
      chat('other', 'b'),
      chat(`${long}2`, 'c'),
      chat(`${long}1`, 'd'),
      chat(`${long}2`, 'e'),
    ]);
    const indexes = order.map(({ taskIndex }) => taskIndex);
    expect(indexes.at(-1)).toBe(1);
    expect(orderOf([chat('1', ''), chat('2', ''), chat('3', '')]).map(({ taskIndex }) => taskIndex)).toEqual([0, 1, 2]);
  });

  it('knows the model of each task, and leaves out those that do not run', () => {
    const order = new PrefixOrder('m');
    order.add([
      { customId: 'a', request: '{"model":"n","messages":[]}' },
      { customId: 'b', request: '{"messages":[]}', sameAs: 0 },
      { customId: 'c', request: '{"model":"m","messages":[]}' },
    ]);
    expect([...order.groups()].flat().map(({ taskIndex, model }) => [taskIndex, model])).toEqual([
      [0, 'n'],
      [2, 'm'],
    ]);
  });
});
