import { Injectable } from '@nestjs/common';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { BudgetStates } from '../../auth/budget-states.js';
import { toBudgetUsage } from './budget-usage.dto.js';
import type { OwnKeyDto } from './own-key.dto.js';
import type { Principal } from '../../auth/principal.js';
import { toBudgetDto } from './spending.dto.js';

/** Shows a key to whoever holds it: what was found out of it when it was checked, and its budgets. */
@Injectable()
export class OwnKeyService {
  constructor(private readonly budgets: BudgetStates) {}

  async find({ keyId, name, scopes, allowedModels, groupId, accounts, expiresAt }: Principal): Promise<OwnKeyDto> {
    // Keys that made this one bound it as well, but how much those have spent is not for it to see.
    const own = accounts.find(({ id }) => id === keyId);
    const group = groupId === null ? undefined : accounts.find(({ id }) => id === groupId);
    const states = await this.budgets.of([own, group].filter((account) => account !== undefined));
    return {
      id: keyId,
      object: 'api_key',
      name,
      scopes: [...scopes],
      allowed_models: allowedModels === null ? null : [...allowedModels],
      expires_at: toUnixSeconds(expiresAt ?? null),
      limits: own?.limits ?? null,
      budget: toBudgetDto(own?.budget ?? null),
      budget_usage: toBudgetUsage(states.get(keyId)),
      group_id: groupId,
      group_limits: group?.limits ?? null,
      group_budget: toBudgetDto(group?.budget ?? null),
      group_budget_usage: group === undefined ? null : toBudgetUsage(states.get(group.id)),
    };
  }
}
