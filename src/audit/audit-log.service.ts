import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { EntityManager, Repository } from 'typeorm';
import { Database } from '../database/database.js';
import { newestFirst } from '../database/newest-first.js';
import { isoSeconds } from '../http/query-time.js';
import { DEFAULT_PAGE_ENTRIES } from '../http/page-query.dto.js';
import { toUnixSeconds } from '../http/unix-seconds.js';
import type { AuditEntryListDto, AuditQueryDto } from './audit.dto.js';
import { AuditEntry, type AuditTarget } from './audit-entry.entity.js';
import { randomId } from '../runtime/random-id.js';

/** Longest JSON of what was there before that an entry keeps, in characters. */
const MAX_BEFORE_CHARACTERS = 8_000;
const MAX_TARGET_ID_CHARACTERS = 32;
/** Entries of one statement. */
const INSERT_ROWS = 500;
/** Entries of one query of an export. */
const ROWS_PER_PAGE = 1_000;

export type AuditAction =
  | `key.${'created' | 'updated' | 'rotated' | 'revoked' | 'budget_reset' | 'budget_credited' | 'imported' | 'exported' | 'purged'}`
  | `group.${'created' | 'updated' | 'deleted' | 'budget_reset' | 'budget_credited' | 'imported'}`
  | `request_log.${'read' | 'deleted'}`
  | `provider.${'key_tested' | 'tested'}`
  | `deployment.${'drained' | 'enabled'}`
  | `batch.${'read' | 'updated' | 'cancelled' | 'paused' | 'resumed' | 'deleted'}`
  | `session.${'started' | 'ended'}`
  | `configuration.${'reloaded' | 'edited' | 'restored'}`;

/** An action to record. */
export interface AuditedAction {
  /** Id of the key that does it; `operator` for what is done on the machine. */
  readonly actor: string;
  readonly action: AuditAction;
  readonly targetId: string;
  /** Fields with the requested values, without secrets. */
  readonly changes: object;
  /** The previous values of the changed fields; absent if there were none. */
  readonly before?: object;
}

/** Records which key changed what and when, and which key read prompts and responses. */
@Injectable()
export class AuditLog {
  constructor(
    @InjectRepository(AuditEntry) private readonly entries: Repository<AuditEntry>,
    private readonly database: Database,
  ) {}

  /** Notes an action in the transaction that carries it out, so that there is neither without the other. */
  async note(manager: EntityManager, action: AuditedAction): Promise<void> {
    await manager.insert(AuditEntry, entryOf(action));
  }

  /** Records many actions. */
  async noteAll(manager: EntityManager, actions: readonly AuditedAction[]): Promise<void> {
    for (let start = 0; start < actions.length; start += INSERT_ROWS) {
      await manager.insert(AuditEntry, actions.slice(start, start + INSERT_ROWS).map(entryOf));
    }
  }

  /** Records an action that changes nothing in the database, such as a read. Resolves when the entry is stored. */
  record(action: AuditedAction): Promise<void> {
    return this.database.transaction((manager) => this.note(manager, action));
  }

  /**
   * The same of an action that several processes carry out: one entry, whichever of them is first.
   *
   * @param event names the action; the same in all of them
   */
  recordOnce(action: AuditedAction, event: string): Promise<void> {
    const id = `aud_${createHash('sha256').update(event).digest('hex').slice(0, 24)}`;
    return this.database.transaction(async (manager) => {
      const entry = { ...entryOf(action), id };
      await manager.createQueryBuilder().insert().into(AuditEntry).values(entry).orIgnore().execute();
    });
  }

  list(query: AuditQueryDto): Promise<AuditEntryListDto> {
    return this.page(query, query.limit ?? DEFAULT_PAGE_ENTRIES, query.after);
  }

  /** Everything that meets the conditions, a page at a time, for CSV. */
  async *pages(query: AuditQueryDto): AsyncGenerator<readonly object[]> {
    for (let after = query.after ?? null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await this.page(query, ROWS_PER_PAGE, after ?? undefined);
      yield page.data.map((entry) => ({
        ...entry,
        date: isoSeconds(entry.created_at),
      }));
      after = page.next;
    }
  }

  private async page(
    { actor, target_id: targetId, action: wanted, start, end }: AuditQueryDto,
    limit: number,
    after: string | undefined,
  ): Promise<AuditEntryListDto> {
    const query = this.entries.createQueryBuilder('entry');
    if (wanted?.endsWith('.*') === true) {
      query.andWhere('entry.targetType = :kind', { kind: wanted.slice(0, -2) });
    } else if (wanted !== undefined) query.andWhere('entry.action = :wanted', { wanted });
    if (start !== undefined) query.andWhere('entry.createdAt >= :start', { start: start * 1_000 });
    if (end !== undefined) query.andWhere('entry.createdAt < :end', { end: end * 1_000 });
    if (actor !== undefined) query.andWhere('entry.actor = :actor', { actor });
    if (targetId !== undefined) {
      query.andWhere('entry.targetId = :targetId', { targetId: targetId.slice(0, MAX_TARGET_ID_CHARACTERS) });
    }
    const { rows, ...page } = await newestFirst(query, 'createdAt', {
      limit,
      after,
      what: 'audit entry',
      idPrefix: 'aud_',
    });
    const data = rows.map(({ id, createdAt, action, targetType, changes, before, ...entry }) => ({
      id,
      object: 'audit_entry' as const,
      created_at: toUnixSeconds(createdAt),
      actor: entry.actor,
      action,
      target_type: targetType,
      target_id: entry.targetId,
      changes: changes as Record<string, unknown>,
      before: before as Record<string, unknown> | null,
    }));
    return { object: 'list', data, ...page };
  }
}

function entryOf({ actor, action, targetId, changes, before }: AuditedAction): AuditEntry {
  return {
    id: randomId('aud_'),
    createdAt: Date.now(),
    actor,
    action,
    targetType: action.slice(0, action.indexOf('.')) as AuditTarget,
    targetId: targetId.slice(0, MAX_TARGET_ID_CHARACTERS),
    changes,
    before: before === undefined || JSON.stringify(before).length > MAX_BEFORE_CHARACTERS ? null : before,
  };
}

/** The fields of `before` that have another value in `after`. */
export function changedOf<Dto extends object>(before: Dto, after: Dto): Partial<Dto> {
  const names = Object.keys(before) as (keyof Dto)[];
  const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return Object.fromEntries(changed.map((name) => [name, before[name]])) as Partial<Dto>;
}
