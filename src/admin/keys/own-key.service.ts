import { Injectable } from '@nestjs/common';
import { notFound } from '../../errors/gateway-error.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { BudgetStates } from '../../auth/budget-states.js';
import { toBudgetUsage } from './budget-usage.dto.js';
import type { OwnKeyDto } from './own-key.dto.js';
import type { Principal } from '../../auth/principal.js';
import { toBudgetDto } from './spending.dto.js';

/** Shows the calling key: its rights as found at authentication, and its budgets. */
@Injectable()
export class OwnKeyService {
  constructor(private readonly budgets: BudgetStates) {}

  /** @throws GatewayError 404 for a person, who is no key */
  async find({ keyId, name, scopes, allowedModels, fallbacks = 'any', ...principal }: Principal): Promise<OwnKeyDto> {
    const { groupId, accounts, expiresAt, role } = principal;
    if (role !== undefined) {
      throw notFound('You are signed in as a person, not with a key. Your keys are at GET /v1/session/keys.');
    }
    // Limits of the keys that created this one apply, too, but their spending is not disclosed.
    const own = accounts.find(({ id }) => id === keyId);
    const group = groupId === null ? undefined : accounts.find(({ id }) => id === groupId);
    const states = await this.budgets.of([own, group].filter((account) => account !== undefined));
    return {
      id: keyId,
      object: 'api_key',
      name,
      scopes: [...scopes],
      allowed_models: allowedModels === null ? null : [...allowedModels],
      fallbacks,
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
