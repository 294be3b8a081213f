import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { EntityManager, Repository } from 'typeorm';
import { newestFirst } from '../database/newest-first.js';
import { DEFAULT_PAGE } from '../http/page-query.dto.js';
import { toUnixSeconds } from '../http/unix-seconds.js';
import type { AuditEntryListDto, AuditQueryDto } from './audit.dto.js';
import { AuditEntry } from './audit-entry.entity.js';
import { randomId } from '../ids/random-id.js';

export interface AuditedAction {
  /** Id of the key that does it. */
  readonly actor: string;
  readonly action: `${'key' | 'group'}.${'created' | 'updated' | 'rotated' | 'revoked' | 'deleted'}`;
  readonly targetId: string;
  /** Fields as they were asked to be; never a secret. */
  readonly changes: object;
}

/** Who changed what and when. */
@Injectable()
export class AuditLog {
  constructor(@InjectRepository(AuditEntry) private readonly entries: Repository<AuditEntry>) {}

  /** Notes an action in the transaction that carries it out, so that there is neither without the other. */
  async note(manager: EntityManager, { actor, action, targetId, changes }: AuditedAction): Promise<void> {
    await manager.insert(AuditEntry, {
      id: randomId('aud_'),
      createdAt: Date.now(),
      actor,
      action,
      targetType: action.startsWith('key.') ? 'key' : 'group',
      targetId,
      changes,
    });
  }

  async list({ limit = DEFAULT_PAGE, after, actor, target_id: targetId }: AuditQueryDto): Promise<AuditEntryListDto> {
    const query = this.entries.createQueryBuilder('entry');
    if (actor !== undefined) query.andWhere('entry.actor = :actor', { actor });
    if (targetId !== undefined) query.andWhere('entry.targetId = :targetId', { targetId });
    const { rows, ...page } = await newestFirst(query, 'createdAt', { limit, after, what: 'audit entry' });
    const data = rows.map(({ id, createdAt, action, targetType, changes, ...entry }) => ({
      id,
      object: 'audit_entry' as const,
      created_at: toUnixSeconds(createdAt),
      actor: entry.actor,
      action,
      target_type: targetType,
      target_id: entry.targetId,
      changes: changes as Record<string, unknown>,
    }));
    return { object: 'list', data, ...page };
  }
}
