import { billedTokens, NOTHING_BILLED, type BilledUsage } from '../operations/billed-tokens.js';
import { boundTokens } from '../runtime/token-count.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import type { CostBasis } from '../usage/records/usage-record.entity.js';

/** What one attempt is billed by, and how it is known. */
export interface CountedUsage {
  readonly usage: BilledUsage;
  readonly basis: CostBasis;
}

/**
 * What the last attempt of a call consumed: as the provider reported it; an estimate where a whole response came without a
 * count; and what it may have generated at most where it was given up or broke off at its work. An attempt that was refused
 * consumed nothing.
 */
export function countedUsage(outcome: CallOutcome, worstCase: () => BilledUsage): CountedUsage | Promise<CountedUsage> {
  if (outcome.reported !== undefined) return { usage: outcome.reported, basis: 'reported' };
  if (outcome.status === 'succeeded') return estimated(outcome);
  if (outcome.attempts.at(-1)?.mayBeBilled !== true) return { usage: NOTHING_BILLED, basis: 'reported' };
  const { promptTokens, completionTokens, units } = worstCase();
  // A provider may have written more than it was asked for.
  const tokens = billedTokens(promptTokens, boundTokens(Math.max(completionTokens, outcome.collector.receivedTokens)));
  return { usage: units === undefined ? tokens : { ...tokens, units }, basis: 'worst_case' };
}

async function estimated({ collector }: CallOutcome): Promise<CountedUsage> {
  return { usage: await collector.estimate(), basis: 'estimated' };
}
