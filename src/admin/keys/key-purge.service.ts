import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import { AuditLog } from '../../audit/audit-log.service.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { FormerOwner } from '../../auth/former-owner.entity.js';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import type { Principal } from '../../auth/principal.js';
import { Database } from '../../database/database.js';
import { deleteInSteps } from '../../database/delete-in-steps.js';
import { runSql } from '../../database/sql.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { assertMayRevoke } from './assert-within-maker.js';
import { assertReach } from './key-access.js';
import { DELETED_WITH_KEY } from './owned-rows.js';
import type { KeyPurgeDto, PurgeKeysDto } from './key-transfer.dto.js';

const DAY_MS = 86_400_000;
/** Keys of one transaction. */
const CHUNK_ROWS = 200;

/** Those that were revoked for long enough. $1 is the time before which they were revoked. */
const REVOKED = 'SELECT id FROM api_key WHERE revoked_at <= $1 ORDER BY id';
/** Ancestors of every remaining key, whose bounds come from their rows. */
const NEEDED = `
WITH RECURSIVE needed(id) AS (
  SELECT parent_id FROM api_key WHERE parent_id IS NOT NULL AND (revoked_at IS NULL OR revoked_at > $1)
  UNION SELECT api_key.parent_id FROM api_key JOIN needed ON api_key.id = needed.id WHERE api_key.parent_id IS NOT NULL)
SELECT id FROM needed`;

/** Takes rows of keys away that were revoked long ago, with what only they could read; their names and what they spent stay. */
@Injectable()
export class KeyPurge {
  constructor(
    private readonly database: Database,
    private readonly keyCheck: ApiKeyAuthenticator,
    private readonly audit: AuditLog,
  ) {}

  async purge({ retention_days: days, dry_run: isDry = false }: PurgeKeysDto, maker: Principal): Promise<KeyPurgeDto> {
    const before = Date.now() - days * DAY_MS;
    const { chosen, found } = await this.database.transaction((manager) => this.choose(manager, before, maker));
    let purged = 0;
    if (isDry) purged = chosen.length;
    else {
      // Keys before the keys that made them, so that what is left of an interrupted purge has no gap in its chains.
      for (let start = 0; start < chosen.length; start += CHUNK_ROWS) {
        const ids = chosen.slice(start, start + CHUNK_ROWS);
        // Before the keys, so that an interrupted purge finds them again; in steps, because there may be many.
        await this.removeOwned(ids);
        purged += await this.remove(ids, before, maker);
      }
      if (purged > 0) await this.keyCheck.allChanged();
    }
    return { object: 'key_purge', purged, kept: found - purged, dry_run: isDry };
  }

  /** @returns ids, those of made keys before those of their makers, and how many were revoked for long enough */
  private async choose(
    manager: EntityManager,
    before: number,
    maker: Principal,
  ): Promise<{ chosen: readonly string[]; found: number }> {
    const { dialect } = this.database;
    const idsOf = async (statement: string): Promise<string[]> =>
      (await runSql<{ id: string }>(manager, dialect, statement, [before])).rows.map(({ id }) => id);
    const revoked = await idsOf(REVOKED);
    const needed = new Set(await idsOf(NEEDED));
    const parents = new Map<string, string | null>();
    const allowed = new Set<string>();
    for (let start = 0; start < revoked.length; start += CHUNK_ROWS) {
      const ids = revoked.slice(start, start + CHUNK_ROWS);
      for (const key of await manager.find(ApiKey, { where: { id: In(ids) } })) {
        parents.set(key.id, key.parentId);
        if (await mayEnd(manager, maker, key)) allowed.add(key.id);
      }
    }
    // What this maker may not end stays, and what it depends on with it.
    for (const id of revoked) {
      if (allowed.has(id)) continue;
      for (let above = parents.get(id) ?? null; above !== null && !needed.has(above);) {
        needed.add(above);
        above = parents.get(above) ?? null;
      }
    }
    const chosen = revoked.filter((id) => allowed.has(id) && !needed.has(id));
    const depthOf = (id: string): number => {
      let depth = 0;
      for (let above = parents.get(id) ?? null; above !== null; above = parents.get(above) ?? null) depth += 1;
      return depth;
    };
    const depths = new Map(chosen.map((id) => [id, depthOf(id)]));
    chosen.sort((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0));
    return { chosen, found: revoked.length };
  }

  private async removeOwned(ids: readonly string[]): Promise<void> {
    const list = this.database.isSqlite
      ? '(SELECT value FROM json_each($1))'
      : '(SELECT json_array_elements_text($1::json))';
    const parameters = [JSON.stringify(ids)];
    for (const table of DELETED_WITH_KEY) {
      await deleteInSteps(this.database, { table, condition: `key_id IN ${list}`, parameters });
    }
  }

  private async remove(ids: readonly string[], before: number, maker: Principal): Promise<number> {
    return this.database.transaction(async (manager) => {
      const keys = await manager.find(ApiKey, { where: { id: In([...ids]) } });
      // Keys that have changed since they were chosen stay.
      const rows = keys.filter(({ revokedAt }) => revokedAt !== null && revokedAt <= before);
      if (rows.length === 0) return 0;
      const removedAt = Date.now();
      await manager.upsert(
        FormerOwner,
        rows.map(({ id, name, parentId, groupId }) => ({ id, name, parentId, groupId, removedAt })),
        ['id'],
      );
      await manager.delete(ApiKey, { id: In(rows.map(({ id }) => id)) });
      await this.audit.noteAll(
        manager,
        rows.map(({ id, name, revokedAt }) => ({
          actor: maker.keyId,
          action: 'key.purged' as const,
          targetId: id,
          changes: {},
          before: { name, revoked_at: Math.floor((revokedAt ?? 0) / 1_000) },
        })),
      );
      return rows.length;
    });
  }
}

async function mayEnd(manager: EntityManager, maker: Principal, key: ApiKey): Promise<boolean> {
  try {
    await assertReach(manager, maker, key);
    assertMayRevoke(maker, key);
    return true;
  } catch (error) {
    if (error instanceof GatewayError) return false;
    throw error;
  }
}
