import { jest } from '@jest/globals';
import fc from 'fast-check';
import { PERIODS, type Account, type BudgetAdjustment } from '../auth/spending.js';
import { budgetAdjuster } from './budget-adjustments.js';
import { budgetAt, periodAt, periodId } from './period.js';

const HOUR_MS = 3_600_000;
const cents = (usd: number): number => Math.round(usd * 100);

describe('a budget that is reset and credited', () => {
  // The steady clock never runs backwards, so each run begins where the one before has ended.
  let now = Date.UTC(2027, 0, 1);
  beforeEach(() => jest.useFakeTimers({ now }));
  afterEach(() => jest.useRealTimers());

  it('has what was set, plus credits since the last reset, less what was spent since, within each period', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('call' as const), cost: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ kind: fc.constant('reset' as const) }),
      fc.record({ kind: fc.constant('credit' as const), cost: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 100 }) }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...PERIODS), fc.array(step, { maxLength: 30 }), (period, steps) => {
        let budgetAdjustment: BudgetAdjustment | null = null;
        const account = (): Account => ({ id: 'key_1', limits: null, budget: { usd: 10, period }, budgetAdjustment });
        const records: { at: number; cost: number }[] = [];
        let model = { left: 1_000, until: periodAt(period, now).end };
        for (const each of steps) {
          now += each.kind === 'wait' ? each.hours * HOUR_MS : 2;
          jest.setSystemTime(now);
          if (now >= model.until) model = { left: 1_000, until: periodAt(period, now).end };
          if (each.kind === 'reset') {
            budgetAdjustment = budgetAdjuster.reset();
            now += 1;
            jest.setSystemTime(now);
            if (now >= model.until) model.until = periodAt(period, now).end;
            model.left = 1_000;
          } else if (each.kind === 'credit') {
            budgetAdjustment = budgetAdjuster.credited(account(), each.cost / 100);
            model.left += each.cost;
          } else if (each.kind === 'call') {
            records.push({ at: now, cost: each.cost });
            model.left -= each.cost;
          }
          const present = budgetAt(account(), now);
          const spent = records
            .filter(({ at }) => present !== undefined && at >= present.period.start && at < present.period.end)
            .reduce((sum, { cost }) => sum + cost, 0);
          expect(cents(present?.budget.usd ?? 0) - spent).toBe(model.left);
        }
      }),
    );
  });

  it('counts from the reset on under another name, and in other periods as before', () => {
    const reset = budgetAdjuster.reset();
    const account: Account = {
      id: 'key_1',
      limits: null,
      budget: { usd: 10, period: 'month' },
      budgetAdjustment: reset,
    };
    const whole = periodAt('month', now);
    const present = budgetAt(account, now);
    expect(present?.period).toMatchObject({ name: whole.name, start: reset.resetAt, end: whole.end });
    expect(periodId(present!.period)).not.toBe(periodId(whole));
    expect(budgetAt(account, whole.end)?.period).toEqual(periodAt('month', whole.end));
    expect(budgetAt(account, whole.start - 1)?.period).toEqual(periodAt('month', whole.start - 1));
    expect(budgetAt({ ...account, budget: null }, now)).toBeUndefined();
  });
});
