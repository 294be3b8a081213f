import { GatewayError, permissionDenied } from '../../errors/gateway-error.js';
import type { ApiKey } from '../../auth/api-key.entity.js';
import { assertSpendingWithin } from './assert-spending-within.js';
import { MAX_GENERATIONS, mayGiveScope } from '../../auth/key-lineage.js';
import { coversModel } from '../../auth/may-call-model.js';
import type { FallbackRule } from '../../auth/fallback-rule.js';
import type { Principal } from '../../auth/principal.js';

/** The key as it would be after its creation or change. */
export type MadeKey = Pick<ApiKey, 'id' | 'scopes' | 'allowedModels' | 'limits' | 'budget' | 'expiresAt' | 'groupId'>;

/**
 * A key must not grant rights that it does not have: no scope, model, lifetime, limit or budget beyond its own, and nothing
 * outside of its group.
 *
 * @throws GatewayError 403 that names the field, the bound and its value
 */
export function assertWithinMaker(maker: Principal, made: MadeKey): void {
  const missing = made.scopes.find((scope) => !mayGiveScope(maker.scopes, scope));
  if (missing !== undefined) {
    throw beyond(`This key lacks the scope '${missing}' and cannot give it.`, 'scopes');
  }
  assertExpiryWithin(maker, made);
  if (maker.groupId !== null && made.groupId !== maker.groupId) {
    throw beyond(
      `This key belongs to the group '${maker.groupId}' and cannot make or move a key outside of it. Set group_id to '${maker.groupId}'.`,
      'group_id',
    );
  }
  const { accounts } = maker;
  for (const id of new Set([maker.keyId, made.id])) {
    assertSpendingWithin(
      accounts.find((account) => account.id === id),
      made.limits,
      made.budget,
    );
  }
  assertModelsWithin(maker, made);
}

/** A key with limits must not change a key outside of these limits: it would spend without them. */
export function assertAccountsHold(maker: Principal, accountIds: ReadonlySet<string>, keyId: string): void {
  const missing = maker.accounts.find(({ id }) => !accountIds.has(id));
  if (missing === undefined) return;
  throw beyond(
    `The limits or the budget of '${missing.id}' hold for this key but not for '${keyId}', which it therefore cannot change. Use a key without them.`,
    missing.id.startsWith('group_') ? 'group_id' : 'id',
  );
}

/** A key that only allowed fallbacks may serve does not lift that rule, from itself, from its group or from another key. */
export function assertMaySetFallbacks(maker: Principal, rule: FallbackRule | null): void {
  if (maker.fallbacks !== 'within_allowed' || rule === 'within_allowed') return;
  throw beyond(
    "This key may not be served by any fallback and cannot allow it. Set fallbacks to 'within_allowed'.",
    'fallbacks',
  );
}

/** A key may revoke itself and any key without the scope `admin`; another admin key only if it has at least that key's rights. */
export function assertMayRevoke(maker: Principal, key: MadeKey): void {
  if (maker.isOperator === true || key.id === maker.keyId || !key.scopes.includes('admin')) return;
  try {
    assertWithinMaker(maker, key);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw beyond(
      `The admin key '${key.id}' has more rights than this key, which cannot revoke it. ${error.message}`,
      'id',
    );
  }
}

/** Each call is checked against every key of the chain, so its length is bounded. */
export function assertGeneration({ generation = 0 }: Principal): void {
  if (generation + 1 < MAX_GENERATIONS) return;
  throw beyond(
    `This key is the last of ${MAX_GENERATIONS} keys that made each other, and makes none. Use a key that is nearer to the first.`,
    null,
  );
}

function assertExpiryWithin({ expiresAt }: Principal, made: MadeKey): void {
  if (expiresAt == null || (made.expiresAt !== null && made.expiresAt <= expiresAt)) return;
  const seconds = Math.floor(expiresAt / 1_000);
  throw beyond(
    `This key expires at ${seconds} (${new Date(expiresAt).toISOString()}) and cannot make a key that works longer. Set expires_at to at most ${seconds}.`,
    'expires_at',
  );
}

function assertModelsWithin({ allowedModels: own }: Principal, { allowedModels }: MadeKey): void {
  if (own === null) return;
  const outside =
    allowedModels === null ? '*' : allowedModels.find((model) => !own.some((outer) => coversModel(outer, model)));
  if (outside === undefined) return;
  throw permissionDenied(
    `This key may not call '${outside}' and cannot allow it. Name models within its own allowed_models: ${listed(own)}.`,
    'model_not_allowed',
    'allowed_models',
  );
}

function listed(models: readonly string[]): string {
  const first = models.slice(0, 10).map((model) => `'${model}'`);
  return models.length > 10 ? `${first.join(', ')} and ${models.length - 10} more` : first.join(', ') || 'none';
}

function beyond(message: string, param: string | null): GatewayError {
  return permissionDenied(message, 'insufficient_scope', param ?? undefined);
}
