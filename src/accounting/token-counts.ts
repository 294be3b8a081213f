import { billedTokens, NOTHING_BILLED, type BilledTokens } from '../pricing/billed-tokens.js';
import { boundTokens } from '../runtime/token-count.js';
import type { CallOutcome } from '../calls/call-outcome.js';
import { countPromptTokens, countTokens } from '../operations/chat/count-tokens.js';
import type { CostBasis } from '../usage/records/usage-record.entity.js';

/** Tokens of one attempt, and how they are known. */
export interface CountedTokens {
  readonly tokens: BilledTokens;
  readonly basis: CostBasis;
}

/** Characters of text that make a token, on average. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * What the last attempt of a call consumed: as the provider reported it; an estimate where a whole answer came without a
 * count; and what it may have generated at most where it was given up or broke off at its work. An attempt that was refused
 * consumed nothing.
 */
export function tokenCounts(
  outcome: CallOutcome,
  worstCase: () => BilledTokens,
): CountedTokens | Promise<CountedTokens> {
  if (outcome.reported !== undefined) return { tokens: outcome.reported, basis: 'reported' };
  if (outcome.status === 'succeeded') return estimated(outcome);
  if (outcome.attempts.at(-1)?.mayBeBilled !== true) return { tokens: NOTHING_BILLED, basis: 'reported' };
  const { promptTokens, completionTokens } = worstCase();
  // A provider may have written more than it was asked for.
  const received = Math.ceil(outcome.outputLength / CHARACTERS_PER_TOKEN);
  const tokens = billedTokens(promptTokens, boundTokens(Math.max(completionTokens, received)));
  return { tokens, basis: 'worst_case' };
}

async function estimated({ request, output, outputLength }: CallOutcome): Promise<CountedTokens> {
  const kept = output.join('');
  const [prompt, ofKept] = await Promise.all([countPromptTokens(request), countTokens([kept])]);
  const completion = kept === '' ? 0 : (ofKept * outputLength) / kept.length;
  return { tokens: billedTokens(boundTokens(prompt), boundTokens(completion)), basis: 'estimated' };
}
