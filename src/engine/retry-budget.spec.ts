import { RetryBudget } from './retry-budget.js';

describe('RetryBudget', () => {
  it('always allows three at once', () => {
    const budget = new RetryBudget();
    expect([1, 2, 3, 4].map(() => budget.tryAcquire())).toEqual([true, true, true, false]);
    budget.release();
    expect(budget.tryAcquire()).toBe(true);
  });

  it('saves up a fifth of the requests, for all that fails at once when a deployment dies', () => {
    const budget = new RetryBudget();
    for (let request = 0; request < 100; request += 1) budget.deposit();
    let taken = 0;
    while (budget.tryAcquire()) taken += 1;
    // Three retries are always allowed; the budget of the requests allows the rest.
    expect(taken).toBe(20);
  });

  it('never lets more than a fifth through for long', () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let request = 0; request < 10_000; request += 1) {
      budget.deposit();
      if (budget.tryAcquire()) {
        retries += 1;
        // Not released, as in an outage in which no attempt ends.
      }
    }
    expect(retries).toBeLessThanOrEqual(2_003);
  });
});
