import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { EntityManager, Repository } from 'typeorm';
import { AuditLog, changedOf } from '../../audit/audit-log.service.js';
import { Database } from '../../database/database.js';
import { containing } from '../../database/like.js';
import { newestFirst } from '../../database/newest-first.js';
import { conflict, notFound } from '../../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES } from '../../http/page-query.dto.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { assertMaySetFallbacks } from '../keys/assert-within-maker.js';
import { assertSpendingWithin } from '../keys/assert-spending-within.js';
import { BudgetStates } from '../../auth/budget-states.js';
import { toBudgetUsage } from '../keys/budget-usage.dto.js';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import type { Principal } from '../../auth/principal.js';
import { toBudget, toBudgetDto, toRateLimits } from '../keys/spending.dto.js';
import type {
  CreateGroupDto,
  GroupDto,
  GroupListDto,
  GroupQueryDto,
  GroupWithUsageDto,
  UpdateGroupDto,
} from './groups.dto.js';
import { FormerOwner } from '../../auth/former-owner.entity.js';
import { KeyGroup } from '../../auth/key-group.entity.js';

/** Makes, shows, changes and ends groups of keys. */
@Injectable()
export class GroupsService {
  constructor(
    @InjectRepository(KeyGroup) private readonly groups: Repository<KeyGroup>,
    private readonly database: Database,
    private readonly keyCheck: ApiKeyAuthenticator,
    private readonly audit: AuditLog,
    private readonly budgets: BudgetStates,
  ) {}

  async create(fields: CreateGroupDto, maker: Principal): Promise<GroupDto> {
    const row: KeyGroup = {
      id: `group_${randomBytes(8).toString('hex')}`,
      name: fields.name,
      limits: toRateLimits(fields.limits),
      budget: toBudget(fields.budget),
      budgetAdjustment: null,
      fallbacks: fields.fallbacks ?? null,
      metadata: fields.metadata ?? null,
      createdBy: maker.keyId,
      createdAt: Date.now(),
    };
    await this.database.transaction(async (manager) => {
      await manager.insert(KeyGroup, row);
      await this.audit.note(manager, {
        actor: maker.keyId,
        action: 'group.created',
        targetId: row.id,
        changes: fields,
      });
    });
    return toDto(row);
  }

  async list({ limit = DEFAULT_PAGE_ENTRIES, after, name }: GroupQueryDto): Promise<GroupListDto> {
    const query = this.groups.createQueryBuilder('key_group');
    if (name !== undefined) {
      query.andWhere(`LOWER(key_group.name) LIKE :name ESCAPE '!'`, { name: containing(name) });
    }
    const { rows, ...page } = await newestFirst(query, 'createdAt', {
      limit,
      after,
      what: 'group',
      idPrefix: 'group_',
    });
    const states = await this.budgets.of(rows);
    const data = rows.map((group) => ({ ...toDto(group), budget_usage: toBudgetUsage(states.get(group.id)) }));
    return { object: 'list', data, ...page };
  }

  async find(id: string): Promise<GroupWithUsageDto> {
    const group = foundGroup(await this.groups.findOneBy({ id }), id);
    const states = await this.budgets.of([group]);
    return { ...toDto(group), budget_usage: toBudgetUsage(states.get(id)) };
  }

  async update(id: string, fields: UpdateGroupDto, maker: Principal): Promise<GroupDto> {
    const changed = await this.database.transaction(async (manager) => {
      const group = await this.locked(manager, id);
      assertOwnGroup(group, maker, fields);
      const before = toDto(group);
      if (fields.name !== undefined) group.name = fields.name;
      if (fields.limits !== undefined) group.limits = toRateLimits(fields.limits);
      if (fields.budget !== undefined) group.budget = toBudget(fields.budget);
      if (fields.fallbacks !== undefined) {
        assertMaySetFallbacks(maker, fields.fallbacks);
        group.fallbacks = fields.fallbacks;
      }
      if (fields.metadata !== undefined) group.metadata = fields.metadata;
      await this.audit.note(manager, {
        actor: maker.keyId,
        action: 'group.updated',
        targetId: id,
        changes: fields,
        before: changedOf(before, toDto(group)),
      });
      return manager.save(group);
    });
    await this.keyCheck.allChanged();
    return toDto(changed);
  }

  /** Ends a group that has no keys any more; its usage stays. */
  async remove(id: string, maker: Principal): Promise<GroupDto> {
    const removed = await this.database.transaction(async (manager) => {
      const group = await this.locked(manager, id);
      const keys = await manager.countBy(ApiKey, { groupId: id });
      if (keys > 0) {
        throw conflict(`${keys} keys belong to this group. Give them another group_id, or null, first.`);
      }
      await manager.delete(KeyGroup, { id });
      await manager.upsert(
        FormerOwner,
        { id, name: group.name, parentId: null, groupId: null, removedAt: Date.now() },
        ['id'],
      );
      await this.audit.note(manager, {
        actor: maker.keyId,
        action: 'group.deleted',
        targetId: id,
        changes: {},
        before: toDto(group),
      });
      return group;
    });
    await this.keyCheck.allChanged();
    return toDto(removed);
  }

  private async locked(manager: EntityManager, id: string): Promise<KeyGroup> {
    const lock = this.database.isSqlite ? {} : { lock: { mode: 'pessimistic_write' as const } };
    return foundGroup(await manager.findOne(KeyGroup, { where: { id }, ...lock }), id);
  }
}

/** A key must not lift the limits of a group that it, or a key that created it, belongs to. */
function assertOwnGroup(group: KeyGroup, { accounts }: Principal, { limits, budget }: UpdateGroupDto): void {
  assertSpendingWithin(
    accounts.find(({ id }) => id === group.id),
    limits === undefined ? group.limits : toRateLimits(limits),
    budget === undefined ? group.budget : toBudget(budget),
  );
}

/** Returns a group that was found. @throws GatewayError 404 for null */
export function foundGroup(group: KeyGroup | null, id: string): KeyGroup {
  if (group === null) throw notFound(`There is no group '${id.slice(0, 64)}'.`, 'not_found', 'id');
  return group;
}

function toDto({ id, name, limits, budget, fallbacks, metadata, createdBy, createdAt }: KeyGroup): GroupDto {
  return {
    id,
    object: 'key_group',
    name,
    limits,
    budget: toBudgetDto(budget),
    fallbacks: fallbacks ?? 'any',
    metadata: metadata as Record<string, unknown> | null,
    created_by: createdBy,
    created_at: toUnixSeconds(createdAt),
  };
}
