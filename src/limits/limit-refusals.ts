import type { NanoDollars } from '../runtime/nano-dollars.js';
import type { Budget } from '../auth/spending.js';
import { GatewayError, permissionDenied, rateLimitExceeded } from '../errors/gateway-error.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import type { NoRoom } from './limit-store.js';
import type { PeriodSpan } from './period.js';

/** After how many milliseconds a slot or a reservation is likely to be free again. */
export const MIN_RETRY_AFTER_MS = 250;

/** The key of a call. Limits and budgets of its group and of models apply to it, too. */
export interface Caller {
  readonly keyId: string;
  readonly groupId: string | null;
}

/**
 * The owner of a limit or budget, as the first words of a sentence. Ids of other keys and groups are not disclosed.
 *
 * @param id of an account: a key, a group or a model
 */
export function ownerOf(id: string, { keyId, groupId }: Caller): string {
  if (id.startsWith('model:')) return 'This model';
  if (id.startsWith('group_')) return id === groupId ? "This key's group" : 'The group of a key that made this one';
  return id === keyId ? 'This key' : 'A key that made this one';
}

/** The same text for the middle of a sentence. */
export function ownerInText(id: string, caller: Caller): string {
  return inText(ownerOf(id, caller));
}

/** The 403 for a call with a budget that may be served by a model without a price. @param unpriced the model, or a fallback of it */
export function unpricedRefusal(model: ResolvedModel, unpriced: ResolvedModel, owner: string): GatewayError {
  const which = unpriced.id === model.id ? `'${model.id}'` : `'${unpriced.id}', a fallback of '${model.id}',`;
  return permissionDenied(
    `The price of ${which} is not known, and ${inText(owner)} has a budget. Ask the operator to set the price of '${unpriced.id}', or allow_unpriced in the budget.`,
    'model_unpriced',
    'model',
  );
}

/** The 429 for a reached rate limit, with `retry-after`. */
export function rateRefusal(
  what: string,
  owner: string,
  milliseconds: number,
  headers: Record<string, string> = {},
): GatewayError {
  const whole = Math.ceil(milliseconds);
  const error = rateLimitExceeded({
    message: `${owner} may make ${what}. Retry after ${Math.ceil(whole / 1_000)} s.`,
    retryAfterMs: whole,
    rejectedByGateway: true,
  });
  return new GatewayError({ ...error, message: error.message, headers: { ...headers, ...error.headers } });
}

/** The 429 for a budget that does not cover a call: `insufficient_quota` if it is spent, else retryable. */
export function budgetRefusal(
  { spent, reserved }: NoRoom,
  {
    owner,
    budget,
    amount,
    limit,
    period,
  }: { owner: string; budget: Budget; amount: NanoDollars; limit: NanoDollars; period: PeriodSpan },
): GatewayError {
  if (reserved > 0 && spent + amount <= limit) {
    return rateLimitExceeded({
      message: `What is left of the budget of ${inText(owner)} is set aside for requests under way. Retry in a moment.`,
      retryAfterMs: MIN_RETRY_AFTER_MS,
      rejectedByGateway: true,
    });
  }
  const ends = period.end === Infinity ? '' : ` until ${new Date(period.end).toISOString()}`;
  return new GatewayError({
    status: 429,
    type: 'insufficient_quota',
    code: 'insufficient_quota',
    message: `${owner} has spent ${dollars(spent)} of its budget of ${dollars(limit)} dollars (${budget.period})${ends}, and this request may cost up to ${dollars(amount)}. Ask for fewer tokens, or ask the operator for a higher budget.`,
    headers: { 'x-should-retry': 'false' },
  });
}

function inText(owner: string): string {
  return owner.charAt(0).toLowerCase() + owner.slice(1);
}

function dollars(nanos: number): string {
  return String(Math.round(nanos / 1_000) / 1_000_000);
}
