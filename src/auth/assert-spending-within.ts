import { permissionDenied } from '../errors/gateway-error.js';
import type { Principal } from './principal.js';
import { PERIODS, type Budget, type RateLimits } from './spending.js';

/**
 * A key that could make another with more room than it has itself would have that room. Only its own limits count here: a
 * group's hold for every key of the group anyway.
 *
 * @throws GatewayError 403 that names the field
 */
export function assertSpendingWithin(
  { keyId, accounts }: Principal,
  limits: RateLimits | null,
  budget: Budget | null,
): void {
  const own = accounts.find(({ id }) => id === keyId);
  for (const name of ['rpm', 'tpm', 'concurrency'] as const) {
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
  if (isWithin) return;
  throw permissionDenied(
    `This key has a budget of ${most.usd} dollars a ${most.period} and cannot give more. Set a budget within it.`,
    'insufficient_scope',
    'budget',
  );
}
