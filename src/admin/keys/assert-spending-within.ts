import { permissionDenied } from '../../errors/gateway-error.js';
import { PERIODS, type Account, type Budget, type RateLimits } from '../../auth/spending.js';

/**
 * A key must not create a key with higher limits than its own, nor raise its own limits or those of its group.
 *
 * @param own limits and budget of the key that creates or changes; undefined for none
 * @throws GatewayError 403 that names the field, the bound and its value
 */
export function assertSpendingWithin(own: Account | undefined, limits: RateLimits | null, budget: Budget | null): void {
  for (const name of ['rpm', 'tpm', 'concurrency', 'batch_tokens'] as const) {
    const most = own?.limits?.[name];
    if (most !== undefined && (limits?.[name] ?? Infinity) > most) {
      throw permissionDenied(
        `This key is limited to ${most} ${name} and cannot give more. Set limits.${name} to at most that.`,
        'insufficient_scope',
        `limits.${name}`,
      );
    }
  }
  const most = own?.budget;
  if (most == null) return;
  const isWithin =
    budget !== null && budget.usd <= most.usd && PERIODS.indexOf(budget.period) >= PERIODS.indexOf(most.period);
  if (!isWithin) {
    throw permissionDenied(
      `This key has a budget of ${most.usd} dollars a ${most.period} and cannot give more. Set a budget within it.`,
      'insufficient_scope',
      'budget',
    );
  }
  if (budget.allow_unpriced === true && most.allow_unpriced !== true) {
    throw permissionDenied(
      'The budget of this key has allow_unpriced false and cannot give it. Leave allow_unpriced out.',
      'insufficient_scope',
      'budget.allow_unpriced',
    );
  }
}
