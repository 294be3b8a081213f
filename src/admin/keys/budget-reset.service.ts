import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog, type AuditedAction } from '../../audit/audit-log.service.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { BudgetStates } from '../../auth/budget-states.js';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import { KeyGroup } from '../../auth/key-group.entity.js';
import type { Principal } from '../../auth/principal.js';
import type { BudgetAdjustment } from '../../auth/spending.js';
import { Database } from '../../database/database.js';
import { conflict, permissionDenied } from '../../errors/gateway-error.js';
import { foundGroup, GroupsService } from '../groups/groups.service.js';
import type { GroupWithUsageDto } from '../groups/groups.dto.js';
import type { ResetBudgetDto } from './budget-reset.dto.js';
import { assertActive, assertReach, foundKey } from './key-access.js';
import type { KeyWithUsageDto } from './key.dto.js';
import { KeysService } from './keys.service.js';

type Owner = Pick<ApiKey & KeyGroup, 'id' | 'limits' | 'budget' | 'budgetAdjustment'>;

/** Makes budgets whole again before their period ends, or adds to them. */
@Injectable()
export class BudgetResets {
  constructor(
    private readonly database: Database,
    private readonly keys: KeysService,
    private readonly groups: GroupsService,
    private readonly keyCheck: ApiKeyAuthenticator,
    private readonly budgets: BudgetStates,
    private readonly audit: AuditLog,
  ) {}

  async ofKey(id: string, fields: ResetBudgetDto, maker: Principal): Promise<KeyWithUsageDto> {
    await this.database.transaction(async (manager) => {
      const key = foundKey(await manager.findOne(ApiKey, { where: { id }, ...this.lock }), id);
      assertActive(key);
      await assertReach(manager, maker, key);
      const budgetAdjustment = this.adjustment(key, fields, maker);
      await manager.update(ApiKey, { id }, { budgetAdjustment });
      await this.note(manager, 'key', key, { fields, maker });
    });
    await this.keyCheck.changed(id);
    return this.keys.find(id);
  }

  async ofGroup(id: string, fields: ResetBudgetDto, maker: Principal): Promise<GroupWithUsageDto> {
    await this.database.transaction(async (manager) => {
      const group = foundGroup(await manager.findOne(KeyGroup, { where: { id }, ...this.lock }), id);
      const budgetAdjustment = this.adjustment(group, fields, maker);
      await manager.update(KeyGroup, { id }, { budgetAdjustment });
      await this.note(manager, 'group', group, { fields, maker });
    });
    await this.keyCheck.allChanged();
    return this.groups.find(id);
  }

  private get lock(): object {
    return this.database.isSqlite ? {} : { lock: { mode: 'pessimistic_write' as const } };
  }

  /** @throws GatewayError 409 without a budget, 403 if the budget applies to the calling key */
  private adjustment(owner: Owner, { credit }: ResetBudgetDto, maker: Principal): BudgetAdjustment {
    if (owner.budget === null) {
      throw conflict(`'${owner.id}' has no budget. Give it one with PATCH first.`);
    }
    if (maker.accounts.some(({ id }) => id === owner.id)) {
      throw permissionDenied(
        `The budget of '${owner.id}' holds for this key too, which therefore can neither reset nor credit it. Use a key that it does not hold for.`,
        'insufficient_scope',
        'id',
      );
    }
    const { adjust } = this.budgets;
    return credit == null ? adjust.reset() : adjust.credited(owner, credit);
  }

  private async note(
    manager: EntityManager,
    kind: 'key' | 'group',
    { id, budgetAdjustment: before }: Owner,
    { fields: { credit }, maker }: { fields: ResetBudgetDto; maker: Principal },
  ): Promise<void> {
    const entry: AuditedAction = {
      actor: maker.keyId,
      action: `${kind}.${credit == null ? 'budget_reset' : 'budget_credited'}`,
      targetId: id,
      changes: credit == null ? {} : { credit },
      ...(before !== null && { before: { reset_at: before.resetAt, credit_usd: before.creditUsd } }),
    };
    await this.audit.note(manager, entry);
  }
}
