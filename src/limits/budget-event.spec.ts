import { eventBody, slackBody, type BudgetEvent } from './budget-event.js';

const REACHED: BudgetEvent = {
  type: 'budget.threshold_reached',
  account: 'key_0123456789abcdef',
  period: '2026-11',
  periodId: '2026-11',
  budget: { usd: 1_250, period: 'month' },
  spent: 1_000_500_000_000,
  threshold: 0.8,
};

describe('events about budgets', () => {
  it('say what was spent of which budget', () => {
    expect(eventBody('evt_1', REACHED, 1_767_225_600)).toMatchObject({
      id: 'evt_1',
      created_at: 1_767_225_600,
      object: 'event',
      type: 'budget.threshold_reached',
      data: {
        id: 'key_0123456789abcdef',
        threshold: 0.8,
        budget_usd: 1_250,
        spent_usd: 1_000.5,
        period_start: '2026-11',
      },
    });
  });

  it('are one line of text for Slack', () => {
    expect(slackBody(REACHED).text).toBe(
      ':warning: 80 % of the budget is spent: key `key_0123456789abcdef` has spent $1,000.50 of $1,250.00 for the month of 2026-11.',
    );
    const exhausted = {
      ...REACHED,
      type: 'budget.exhausted',
      account: 'group_1',
      spent: 10_000,
      budget: { usd: 0.00001, period: 'total' },
    } as const;
    expect(slackBody(exhausted).text).toBe(
      ':no_entry: The budget is exhausted: group `group_1` has spent $0.00001 of $0.00001 in total.',
    );
  });
});
