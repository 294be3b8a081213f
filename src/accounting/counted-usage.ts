import { billedTokens, NOTHING_BILLED, type BilledUsage } from '../operations/billed-tokens.js';
import { boundTokens } from '../runtime/token-count.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import type { CostBasis } from '../usage/records/usage-record.entity.js';

/** The usage that one attempt is billed by, and its source. */
export interface CountedUsage {
  readonly usage: BilledUsage;
  readonly basis: CostBasis;
}

/**
 * The usage of the last attempt of a call: the reported usage; an estimate if the complete response had no usage; the maximum
 * that the provider may have generated if the attempt was abandoned or failed while the provider was working. An attempt that
 * was refused, and a call whose response came from a hook, have no usage.
 */
export function countedUsage(outcome: CallOutcome, worstCase: () => BilledUsage): CountedUsage | Promise<CountedUsage> {
  if (outcome.hookResponder !== undefined) return { usage: NOTHING_BILLED, basis: 'reported' };
  if (outcome.reported !== undefined) return { usage: outcome.reported, basis: 'reported' };
  if (outcome.status === 'succeeded') return estimated(outcome);
  if (outcome.attempts.at(-1)?.mayBeBilled !== true) return { usage: NOTHING_BILLED, basis: 'reported' };
  const most = worstCase();
  // A provider may have generated more than the limit of the request.
  const completionTokens = boundTokens(Math.max(most.completionTokens, outcome.collector.receivedTokens));
  return { usage: { ...most, ...billedTokens(most.promptTokens, completionTokens) }, basis: 'worst_case' };
}

async function estimated({ collector }: CallOutcome): Promise<CountedUsage> {
  return { usage: await collector.estimate(), basis: 'estimated' };
}
