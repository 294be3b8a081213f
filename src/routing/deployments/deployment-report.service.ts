import { Injectable } from '@nestjs/common';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { Routing } from '../routing.service.js';
import { DeploymentHealth } from './deployment-health.js';
import { DeploymentLimiter } from './deployment-limiter.js';
import type { DeploymentDrainDto, DeploymentDto, DeploymentListDto } from './deployments.dto.js';
import { Deployments } from './deployments.service.js';

/** The state of deployments for operators. */
@Injectable()
export class DeploymentReport {
  constructor(
    private readonly routing: Routing,
    private readonly deployments: Deployments,
    private readonly queue: DeploymentLimiter,
  ) {}

  /** One deployment, which need not be in the list. */
  stateOf(id: string): DeploymentDto | undefined {
    return this.states([id]).find((each) => each.id === id);
  }

  /** Every deployment that is configured, was called or is drained, as this process knows it. */
  list(): DeploymentListDto {
    const drained = this.deployments.drains.all().map(({ deployment }) => deployment);
    return { object: 'list', data: this.states(drained).sort((first, second) => (first.id < second.id ? -1 : 1)) };
  }

  /** @param others ids that are included although they are neither configured nor called */
  private states(others: readonly string[]): DeploymentDto[] {
    const models = new Map<string, string[]>();
    const limits = new Map<string, number>();
    for (const model of this.routing.current.listed()) {
      for (const { id, concurrency } of model.deployments) {
        models.set(id, [...(models.get(id) ?? []), model.id]);
        if (concurrency !== undefined) limits.set(id, Math.max(limits.get(id) ?? 0, concurrency));
        this.deployments.healthOf({ id });
      }
    }
    const healths = new Map(this.deployments.all());
    for (const id of others) if (!healths.has(id)) healths.set(id, new DeploymentHealth());
    return [...healths].map(([id, health]) => {
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
        drain: this.drainOf(id),
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
  }

  /** Ids of the file's models none of whose deployments can be called now. */
  modelsWithoutDeployment(): string[] {
    return [...this.routing.current.listed()]
      .filter(({ deployments }) =>
        deployments.every((deployment) => {
          const health = this.deployments.healthOf(deployment);
          return health.isResting || health.wait > 0 || this.deployments.drains.has(deployment);
        }),
      )
      .map(({ id }) => id);
  }

  private drainOf(id: string): DeploymentDrainDto | null {
    const drain = this.deployments.drains.of(id);
    if (drain === undefined) return null;
    return {
      actor: drain.actor,
      actor_name: drain.actorName,
      created_at: toUnixSeconds(drain.createdAt),
      expires_at: toUnixSeconds(drain.expiresAt),
      reason: drain.reason,
      is_stale: this.routing.current.deploymentAt(id) === undefined,
    };
  }
}

function inTenths(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.round(milliseconds * 10) / 10;
}
