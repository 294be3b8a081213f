import type { AttemptOutcome, CallOutcome } from '../calls/call-outcome.js';
import { billedTokens, type BilledUsage } from '../operations/billed-tokens.js';
import { boundTokens } from '../runtime/token-count.js';
import { countedUsage } from './counted-usage.js';

const billed = (prompt: number, completion: number): BilledUsage =>
  billedTokens(boundTokens(prompt), boundTokens(completion));

const WORST = billed(100, 1_000);

function outcomeOf(last: Partial<AttemptOutcome>, fields: Partial<CallOutcome> = {}): CallOutcome {
  return {
    status: 'failed',
    hookResponder: undefined,
    reported: undefined,
    attempts: [last],
    collector: { receivedTokens: 7, estimate: () => billed(3, 4) },
    ...fields,
  } as unknown as CallOutcome;
}

describe('the usage of the last attempt', () => {
  it.each<[string, CallOutcome, string, number]>([
    ['reported', outcomeOf({ mayBeBilled: true }, { reported: billed(1, 2) }), 'reported', 3],
    ['whole without a count', outcomeOf({}, { status: 'succeeded' }), 'estimated', 7],
    ['a stream that broke', outcomeOf({ mayBeBilled: true, consumed: billed(5, 6) }), 'worst_case', 1_100],
    ['ended while the provider worked', outcomeOf({ mayBeBilled: true }), 'worst_case', 1_100],
    ['refused', outcomeOf({ mayBeBilled: false }), 'reported', 0],
  ])('is by what is known of it: %s', async (_what, outcome, basis, tokens) => {
    const { usage, basis: counted } = await countedUsage(outcome, () => WORST);
    expect([counted, usage.totalTokens]).toEqual([basis, tokens]);
  });
});
