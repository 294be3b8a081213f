import type { ApiKey } from './api-key.entity.js';
import type { FallbackRule } from './fallback-rule.js';
import type { KeyGroup } from './key-group.entity.js';
import { coversModel } from './may-call-model.js';
import type { Principal, Scope } from './principal.js';
import type { Account } from './spending.js';

/** Longest chain of keys that made each other: each call is checked against the limits of all of them. */
export const MAX_GENERATIONS = 20;
/** `created_by` of the key that the first start makes, which is the operator's own. */
export const FIRST_START = 'bootstrap';
const NEVER = Number.MAX_SAFE_INTEGER;

/** A key with the keys that created it and their groups. */
export interface KeyLineage {
  readonly key: ApiKey;
  /** The key that made this one, the key that made that one, and so on. */
  readonly ancestors: readonly ApiKey[];
  /** The groups of the key and of its ancestors, by id. */
  readonly groups: ReadonlyMap<string, KeyGroup>;
  /** Whether a key in the chain is not there, which never happens by the API. */
  readonly isBroken: boolean;
}

interface LineageSource {
  readonly findKey: (id: string) => Promise<ApiKey | null>;
  readonly findGroup: (id: string) => Promise<KeyGroup | null>;
}

/** Reads the limits and rights that apply to a key besides its own row. A key of an operator without a group needs no query. */
export async function readLineage(key: ApiKey, { findKey, findGroup }: LineageSource): Promise<KeyLineage> {
  const ancestors: ApiKey[] = [];
  let isBroken = false;
  for (let { parentId } = key; parentId != null; parentId = ancestors.at(-1)?.parentId ?? null) {
    const ancestor = ancestors.length > MAX_GENERATIONS ? null : await findKey(parentId);
    if (ancestor === null) {
      isBroken = true;
      break;
    }
    ancestors.push(ancestor);
  }
  const groups = new Map<string, KeyGroup>();
  for (const groupId of new Set([key, ...ancestors].map((each) => each.groupId))) {
    const group = groupId == null ? null : await findGroup(groupId);
    if (group !== null) groups.set(group.id, group);
  }
  return { key, ancestors, groups, isBroken };
}

/** The present rights of a key: its own, restricted by those of the keys that created it. */
export function principalOfLineage({ key, ancestors, groups }: KeyLineage): Principal {
  let scopes: readonly Scope[] = key.scopes;
  let { allowedModels } = key;
  for (const ancestor of ancestors) {
    scopes = scopes.filter((scope) => mayGiveScope(new Set(ancestor.scopes), scope));
    allowedModels = intersectModels(allowedModels, ancestor.allowedModels);
  }
  const { id, name, groupId, requestLog } = key;
  return {
    keyId: id,
    name,
    scopes: new Set(scopes),
    allowedModels,
    fallbacks: fallbackRuleOf([key, ...ancestors], groups),
    groupId,
    accounts: accountsOf([key, ...ancestors], groups),
    requestLog,
    expiresAt: key.expiresAt,
    makerIds: bindingMakers(ancestors).map((maker) => maker.id),
    generation: ancestors.length,
    isOperator: key.createdBy === FIRST_START,
  };
}

/**
 * When the key ends by itself or because a key that made it ends; 0 when one of them is revoked. Keys that the key of the first
 * start made do not end with it, so that an operator can revoke it.
 */
export function endOfLineage({ key, ancestors, isBroken }: KeyLineage): number {
  if (isBroken || key.revokedAt !== null) return 0;
  const bounds = bindingMakers(ancestors);
  if (bounds.some(({ revokedAt }) => revokedAt !== null)) return 0;
  return Math.min(...[key, ...bounds].map(({ expiresAt }) => expiresAt ?? NEVER));
}

/** The keys with which the key ends. */
function bindingMakers(ancestors: readonly ApiKey[]): ApiKey[] {
  return ancestors.filter(({ createdBy }) => createdBy !== FIRST_START);
}

/** An administrator may let others choose their own routing without doing so itself. */
export function mayGiveScope(own: ReadonlySet<Scope>, scope: Scope): boolean {
  return own.has(scope) || (scope === 'routing' && own.has('admin'));
}

/** The models that both lists allow; null allows every model. */
export function intersectModels(a: readonly string[] | null, b: readonly string[] | null): string[] | null {
  if (a === null || b === null) return a === null ? (b === null ? null : [...b]) : [...a];
  const both = a.filter((inner) => b.some((outer) => coversModel(outer, inner)));
  const narrower = b.filter((inner) => a.some((outer) => coversModel(outer, inner)));
  return [...new Set([...both, ...narrower])];
}

/** `within_allowed` where it is the rule of the key, of a key that made it, or of a group of them. */
function fallbackRuleOf(keys: readonly ApiKey[], groups: ReadonlyMap<string, KeyGroup>): FallbackRule {
  return [...keys, ...groups.values()].some(({ fallbacks }) => fallbacks === 'within_allowed')
    ? 'within_allowed'
    : 'any';
}

/** Limits and budgets of the key, of its group, and of the keys that made it and of their groups; each once. */
function accountsOf(keys: readonly ApiKey[], groups: ReadonlyMap<string, KeyGroup>): Account[] {
  const accounts = new Map<string, Account>();
  for (const key of keys) {
    const group = key.groupId == null ? undefined : groups.get(key.groupId);
    for (const { id, limits, budget, budgetAdjustment } of group === undefined ? [key] : [key, group]) {
      if (limits !== null || budget !== null) accounts.set(id, { id, limits, budget, budgetAdjustment });
    }
  }
  return [...accounts.values()];
}
