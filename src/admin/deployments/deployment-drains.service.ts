import { Injectable } from '@nestjs/common';
import { LessThanOrEqual } from 'typeorm';
import { AuditLog } from '../../audit/audit-log.service.js';
import type { Principal } from '../../auth/principal.js';
import { Database } from '../../database/database.js';
import { type GatewayError, notFound } from '../../errors/gateway-error.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { placeOfDeployment } from '../../routing/deployment-owners.js';
import { DeploymentDrain } from '../../routing/deployments/deployment-drain.entity.js';
import { DeploymentReport } from '../../routing/deployments/deployment-report.service.js';
import type {
  DeploymentDto,
  DrainDeploymentDto,
  EnableDeploymentDto,
} from '../../routing/deployments/deployments.dto.js';
import { SharedDrains } from '../../routing/deployments/shared-drains.js';
import { Routing } from '../../routing/routing.service.js';

const MAX_NAME_CHARACTERS = 200;

/** Takes deployments out of service, and puts them back. */
@Injectable()
export class DeploymentDrains {
  constructor(
    private readonly routing: Routing,
    private readonly report: DeploymentReport,
    private readonly shared: SharedDrains,
    private readonly database: Database,
    private readonly audit: AuditLog,
  ) {}

  /** @throws GatewayError 404 where no provider of the configuration has the deployment */
  async drain(
    { deployment: asked, reason, expires_in: seconds }: DrainDeploymentDto,
    { keyId, name }: Principal,
  ): Promise<DeploymentDto> {
    const deployment = this.routing.current.deploymentAt(asked)?.id;
    if (deployment === undefined) throw unknownDeployment(asked);
    const place = placeOfDeployment(deployment);
    const now = Date.now();
    const row: DeploymentDrain = {
      place,
      deployment,
      reason: reason ?? null,
      actor: keyId,
      actorName: name.slice(0, MAX_NAME_CHARACTERS),
      createdAt: now,
      expiresAt: seconds === undefined ? null : now + seconds * 1_000,
    };
    await this.database.transaction(async (manager) => {
      await manager.delete(DeploymentDrain, { expiresAt: LessThanOrEqual(now) });
      const before = await manager.findOneBy(DeploymentDrain, { place });
      await manager.upsert(DeploymentDrain, row, ['place']);
      await this.audit.note(manager, {
        actor: keyId,
        action: 'deployment.drained',
        targetId: deployment,
        changes: { deployment, ...shownOf(row) },
        ...(before !== null && { before: shownOf(before) }),
      });
    });
    await this.shared.changed();
    return this.found(deployment);
  }

  /** @throws GatewayError 404 where it is not drained, and no provider of the configuration has it */
  async enable({ deployment: asked }: EnableDeploymentDto, { keyId }: Principal): Promise<DeploymentDto> {
    const place = placeOfDeployment(asked);
    const removed = await this.database.transaction(async (manager) => {
      await manager.delete(DeploymentDrain, { expiresAt: LessThanOrEqual(Date.now()) });
      const row = await manager.findOneBy(DeploymentDrain, { place });
      if (row === null) return undefined;
      await manager.delete(DeploymentDrain, { place });
      const { deployment } = row;
      const before = shownOf(row);
      const changes = { deployment };
      await this.audit.note(manager, {
        actor: keyId,
        action: 'deployment.enabled',
        targetId: deployment,
        changes,
        before,
      });
      return deployment;
    });
    const deployment = removed ?? this.routing.current.deploymentAt(asked)?.id;
    if (deployment === undefined) throw unknownDeployment(asked);
    await this.shared.changed();
    return this.found(deployment);
  }

  private found(id: string): DeploymentDto {
    const found = this.report.stateOf(id);
    if (found === undefined) throw unknownDeployment(id);
    return found;
  }
}

function shownOf({ reason, expiresAt }: DeploymentDrain): object {
  return { reason, expires_at: toUnixSeconds(expiresAt) };
}

function unknownDeployment(id: string): GatewayError {
  return notFound(
    `There is no deployment '${id.slice(0, 256)}'. GET /v1/admin/deployments lists their ids, such as provider/model.`,
    'not_found',
    'deployment',
  );
}
