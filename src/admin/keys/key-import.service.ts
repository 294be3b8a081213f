import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import { AuditLog, type AuditedAction } from '../../audit/audit-log.service.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { FormerOwner } from '../../auth/former-owner.entity.js';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import { IMPORTED_KEYS_SETTING } from '../../auth/key-finder.js';
import { KeyGroup } from '../../auth/key-group.entity.js';
import { MAX_GENERATIONS } from '../../auth/key-lineage.js';
import type { Principal } from '../../auth/principal.js';
import { Database } from '../../database/database.js';
import { GatewaySetting } from '../../database/gateway-setting.entity.js';
import { conflict, invalidRequest } from '../../errors/gateway-error.js';
import { KeyImportReader, type ReadGroup, type ReadKey } from './key-import-reader.js';
import type { ImportKeysDto, KeyImportDto } from './key-transfer.dto.js';

/** Rows of one statement. */
const CHUNK_ROWS = 200;

/** Takes in keys of another gateway or of a backup: all of an import, or nothing. */
@Injectable()
export class KeyImport {
  constructor(
    private readonly reader: KeyImportReader,
    private readonly database: Database,
    private readonly keyCheck: ApiKeyAuthenticator,
    private readonly audit: AuditLog,
  ) {}

  /** @throws GatewayError that names the key or the group at fault, such as `keys[17].hash` */
  async import(
    body: Pick<ImportKeysDto, 'groups' | 'keys' | 'skip_existing'>,
    maker: Principal,
  ): Promise<KeyImportDto> {
    const groups = await this.reader.groups(body.groups ?? [], maker);
    const keys = await this.reader.keys(body.keys, maker);
    const isSkipping = body.skip_existing === true;
    const done = await this.database.transaction(async (manager) => {
      const newGroups = newRows(groups, await existingGroups(manager, groups), isSkipping);
      const newKeys = newRows(keys, await existingKeys(manager, keys), isSkipping);
      await assertGroups(manager, newKeys, newGroups);
      await assertParents(manager, newKeys);
      for (const rows of chunksOf(newGroups)) await manager.insert(KeyGroup, rowsOf(rows));
      for (const rows of chunksOf(newKeys)) await manager.insert(ApiKey, rowsOf(rows));
      if (newKeys.length > 0) {
        const setting = { name: IMPORTED_KEYS_SETTING, value: 'true' };
        await manager.createQueryBuilder().insert().into(GatewaySetting).values(setting).orIgnore().execute();
      }
      const note = (action: 'group.imported' | 'key.imported') => {
        return ({ row, changes }: ReadGroup | ReadKey): AuditedAction => ({
          actor: maker.keyId,
          action,
          targetId: row.id,
          changes,
        });
      };
      await this.audit.noteAll(manager, [
        ...newGroups.map(note('group.imported')),
        ...newKeys.map(note('key.imported')),
      ]);
      return { newGroups, newKeys };
    });
    if (done.newKeys.length > 0) await this.keyCheck.allChanged();
    return {
      object: 'key_import',
      imported: done.newKeys.length,
      skipped: keys.length - done.newKeys.length,
      imported_groups: done.newGroups.length,
      ids: done.newKeys.map(({ row }) => row.id),
    };
  }
}

/** Conflicts of the groups to import, by their ids. */
async function existingGroups(
  manager: EntityManager,
  groups: readonly ReadGroup[],
): Promise<ReadonlyMap<string, string>> {
  const existing = new Map<string, string>();
  for (const chunk of chunksOf(groups)) {
    for (const { id } of await found(manager, KeyGroup, chunk)) existing.set(id, `There is a group '${id}' already.`);
    for (const { id } of await found(manager, FormerOwner, chunk)) {
      existing.set(id, `'${id}' was a group that has been deleted; its usage is kept under this id.`);
    }
  }
  return existing;
}

/** Conflicts of the keys to import, by their ids. */
async function existingKeys(manager: EntityManager, keys: readonly ReadKey[]): Promise<ReadonlyMap<string, string>> {
  const existing = new Map<string, string>();
  for (const chunk of chunksOf(keys)) {
    const ids = new Set(chunk.map(({ row }) => row.id));
    const byHash = new Map(chunk.flatMap(({ row, hashes }) => hashes.map((hash) => [hash, row.id] as const)));
    const hash = In([...byHash.keys()]);
    const rows = await manager.find(ApiKey, {
      select: { id: true, hash: true, previousHash: true },
      where: [{ id: In([...ids]) }, { hash }, { previousHash: hash }],
    });
    for (const row of rows) {
      for (const same of [byHash.get(row.hash), byHash.get(row.previousHash ?? '')]) {
        if (same !== undefined) existing.set(same, `It is the same key as '${row.id}', which is here already.`);
      }
      if (ids.has(row.id)) existing.set(row.id, `There is a key '${row.id}' already.`);
    }
    for (const { id } of await found(manager, FormerOwner, chunk)) {
      existing.set(id, `'${id}' was a key that has been purged; its usage is kept under this id.`);
    }
  }
  return existing;
}

function found(
  manager: EntityManager,
  entity: typeof KeyGroup | typeof FormerOwner,
  read: readonly (ReadGroup | ReadKey)[],
): Promise<{ id: string }[]> {
  return manager.find<{ id: string }>(entity, {
    select: { id: true },
    where: { id: In(read.map(({ row }) => row.id)) },
  });
}

/** @throws GatewayError 409 for the first that is here already, unless those are skipped */
function newRows<Read extends ReadGroup | ReadKey>(
  read: readonly Read[],
  existing: ReadonlyMap<string, string>,
  isSkipping: boolean,
): Read[] {
  return read.filter(({ row, path }) => {
    const fault = existing.get(row.id);
    if (fault === undefined) return true;
    if (isSkipping) return false;
    throw conflict(`'${path}': ${fault} Leave it out, or send skip_existing.`, path);
  });
}

async function assertGroups(
  manager: EntityManager,
  keys: readonly ReadKey[],
  groups: readonly ReadGroup[],
): Promise<void> {
  const known = new Set(groups.map(({ row }) => row.id));
  const wanted = new Map<string, string>();
  for (const { row, path } of keys) {
    if (row.groupId !== null && !known.has(row.groupId) && !wanted.has(row.groupId)) wanted.set(row.groupId, path);
  }
  for (const chunk of chunksOf([...wanted])) {
    const ids = chunk.map(([id]) => id);
    const rows = await manager.find(KeyGroup, { select: { id: true }, where: { id: In(ids) } });
    const missing = chunk.find(([id]) => !rows.some((row) => row.id === id));
    if (missing === undefined) continue;
    const [id, path] = missing;
    throw invalidRequest(`'${path}.group_id': there is no group '${id}', here or in the import.`, `${path}.group_id`);
  }
}

/** Each chain of keys must end, within the length that a chain may have. */
async function assertParents(manager: EntityManager, keys: readonly ReadKey[]): Promise<void> {
  const parents = new Map<string, string | null>(keys.map(({ row }) => [row.id, row.parentId]));
  const parentOf = async (id: string): Promise<string | null | undefined> => {
    if (!parents.has(id)) {
      const row = await manager.findOne(ApiKey, { select: { id: true, parentId: true }, where: { id } });
      if (row === null) return undefined;
      parents.set(id, row.parentId);
    }
    return parents.get(id);
  };
  for (const { row, path } of keys) {
    const param = `${path}.parent_id`;
    let length = 1;
    for (let above = row.parentId; above !== null; length += 1) {
      const next = await parentOf(above);
      if (next === undefined) {
        throw invalidRequest(`'${param}': there is no key '${above.slice(0, 64)}', here or in the import.`, param);
      }
      if (length >= MAX_GENERATIONS) {
        throw invalidRequest(
          `'${param}': the chain of keys above it has no end, or more than ${MAX_GENERATIONS} keys.`,
          param,
        );
      }
      above = next;
    }
  }
}

function rowsOf<Row>(read: readonly { readonly row: Row }[]): Row[] {
  return read.map(({ row }) => row);
}

function* chunksOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += CHUNK_ROWS) yield items.slice(start, start + CHUNK_ROWS);
}
