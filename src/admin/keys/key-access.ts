import type { EntityManager } from 'typeorm';
import { ApiKey } from '../../auth/api-key.entity.js';
import { KeyGroup } from '../../auth/key-group.entity.js';
import { readLineage } from '../../auth/key-lineage.js';
import type { Principal } from '../../auth/principal.js';
import { conflict, notFound } from '../../errors/gateway-error.js';
import { assertAccountsHold } from './assert-within-maker.js';

/** Returns a key that was found. @throws GatewayError 404 for null */
export function foundKey(key: ApiKey | null, id: string): ApiKey {
  if (key === null) throw notFound(`There is no key '${id.slice(0, 64)}'.`, 'not_found', 'id');
  return key;
}

/** @throws GatewayError 409 for a revoked key */
export function assertActive({ revokedAt }: ApiKey): void {
  if (revokedAt === null) return;
  throw conflict('This key is revoked, which is final. Create a new one.');
}

/** Limits that apply to the changing key must apply to the changed key as well. */
export async function assertReach(manager: EntityManager, maker: Principal, key: ApiKey): Promise<void> {
  if (maker.accounts.length === 0) return;
  const lineage = await readLineage(key, {
    findKey: (id) => manager.findOneBy(ApiKey, { id }),
    findGroup: (id) => manager.findOneBy(KeyGroup, { id }),
  });
  const chain = [key, ...lineage.ancestors];
  const accounts = chain.flatMap(({ id, groupId }) => (groupId == null ? [id] : [id, groupId]));
  assertAccountsHold(maker, new Set(accounts), key.id);
}
