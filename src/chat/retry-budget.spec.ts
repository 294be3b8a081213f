import { RetryBudget } from './retry-budget.js';

describe('RetryBudget', () => {
  it('always allows three, and a fifth of the requests under way', () => {
    const budget = new RetryBudget();
    budget.begin();
    expect([1, 2, 3, 4].map(() => budget.take())).toEqual([true, true, true, false]);
    budget.release();
    expect(budget.take()).toBe(true);
    for (let request = 0; request < 99; request += 1) budget.begin();
    let taken = 3;
    while (budget.take()) taken += 1;
    expect(taken).toBe(20);
    budget.end();
  });
});
