import { Injectable } from '@nestjs/common';
import { Routing } from '../routing.service.js';
import { DeploymentLimiter } from './deployment-limiter.js';
import type { DeploymentListDto } from './deployments.dto.js';
import { Deployments } from './deployments.service.js';

/** The state of deployments for operators. */
@Injectable()
export class DeploymentReport {
  constructor(
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly queue: DeploymentLimiter,
  ) {}

  /** Every deployment that is configured or was called, as this process knows it. */
  list(): DeploymentListDto {
    const models = new Map<string, string[]>();
    const limits = new Map<string, number>();
    for (const model of this.routing.current.listed()) {
      for (const { id, concurrency } of model.deployments) {
        models.set(id, [...(models.get(id) ?? []), model.id]);
        if (concurrency !== undefined) limits.set(id, Math.max(limits.get(id) ?? 0, concurrency));
        this.deployments.healthOf({ id });
      }
    }
    const data = [...this.deployments.all()].map(([id, health]) => {
      const { succeeded, failed } = health.recent();
      const served = models.get(id) ?? [];
      return {
        id,
        models: served,
        breaker: health.breaker,
        retry_in_ms: Math.ceil(Math.max(health.wait, health.opensIn, health.quotaPause)),
        out_of_quota_ms: Math.ceil(health.quotaPause),
        rate_limit_reset_ms: Math.ceil(health.limits.left),
        ejected_from: served.filter((model) => this.deployments.ejections.has(model, id)),
        share: Math.round(health.share * 1_000) / 1_000,
        in_flight: health.inFlight,
        concurrency: limits.get(id) ?? null,
        waiting: served.reduce((sum, model) => sum + this.queue.waitingFor(model), 0),
        first_byte_ms: inTenths(health.firstByte),
        call_ms: inTenths(health.callTime),
        recent_succeeded: succeeded,
        recent_failed: failed,
        recent_error_rate:
          succeeded + failed === 0 ? null : Math.round((failed / (succeeded + failed)) * 1_000) / 1_000,
        last_error: health.lastError ?? null,
      };
    });
    return { object: 'list', data: data.sort((first, second) => (first.id < second.id ? -1 : 1)) };
  }

  /** Ids of the file's models none of whose deployments can be called now. */
  modelsWithoutDeployment(): string[] {
    return [...this.routing.current.listed()]
      .filter(({ deployments }) =>
        deployments.every((deployment) => {
          const health = this.deployments.healthOf(deployment);
          return health.isResting || health.wait > 0;
        }),
      )
      .map(({ id }) => id);
  }
}

function inTenths(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds * 10) / 10;
}
