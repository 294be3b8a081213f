import { Injectable } from '@nestjs/common';
import { hasFlexTier } from '../../pricing/tier-price.js';
import type { BatchApi } from '../../providers/batch-api/batch-api.js';
import { Deployments } from '../../routing/deployments/deployments.service.js';
import type { Deployment, ResolvedModel } from '../../routing/resolved-model.js';
import { Routing } from '../../routing/routing.service.js';
import type { ClaimedJob, ClaimedTask } from '../claimed-tasks.js';
import { laneFrom, nativeLane, tierOf, tierOfLane, tierTimes, type Tier } from './tiers.js';

/** What the id of a deployment with another key of the provider ends with. */
const FURTHER_KEY = /#\d+$/;

/** How a task is run now. */
export interface TierPlan {
  readonly tier: Tier;
  /** The lane in which it waits for a part; undefined where it runs now. */
  readonly lane?: string;
}

/** Decides in which tier the tasks of a job run. */
@Injectable()
export class TierPlanner {
  constructor(
    private readonly routing: Routing,
    private readonly deployments: Deployments,
  ) {}

  /** The tier of a task that was claimed from a lane. */
  planOf(task: ClaimedTask, model: string, job: ClaimedJob, now = Date.now()): TierPlan {
    if (job.pricing === 'live') return { tier: 'live' };
    const deployment = this.nativeDeployment(model, task.operation);
    const tier = tierOf({
      pricing: job.pricing,
      from: tierOfLane(task.lane),
      times: tierTimes(job),
      now,
      hasNative: deployment !== undefined,
      hasFlex: this.hasFlex(model),
    });
    if (tier !== 'native' || deployment === undefined) return { tier };
    return { tier, lane: nativeLane(deployment.id, task.operation, task.dialect) };
  }

  /** The lane of a task whose native tier is over. */
  nextLane(model: string, { submittedAt, expiresAt }: Pick<ClaimedJob, 'submittedAt' | 'expiresAt'>): string {
    const hasTime = Date.now() < tierTimes({ submittedAt, expiresAt }).flexUntil;
    return laneFrom(hasTime && this.hasFlex(model) ? 'flex' : 'live', model);
  }

  /** The deployments of a model, and of its fallbacks, whose provider has a batch API; also those that are drained. */
  *nativeDeployments(model: string, operation = 'chat'): Generator<Deployment> {
    for (const { deployments } of this.modelsOf(model)) {
      for (const deployment of deployments) {
        const { provider } = deployment;
        if (provider.batchApi !== undefined && Object.hasOwn(provider.operations, operation)) yield deployment;
      }
    }
  }

  /** The first of them that may be given a new part. */
  nativeDeployment(model: string, operation = 'chat'): Deployment | undefined {
    for (const deployment of this.nativeDeployments(model, operation)) {
      if (!this.isDrained(deployment)) return deployment;
    }
    return undefined;
  }

  /** Whether any deployment is drained. */
  get hasDrained(): boolean {
    return this.deployments.drains.all().length > 0;
  }

  /** Whether an administrator has taken the deployment out of service: it gets no new part. */
  isDrained(deployment: Pick<Deployment, 'id'>): boolean {
    return this.deployments.drains.has(deployment);
  }

  /** The deployment with an id, where its provider has a batch API. */
  withBatchApi(deploymentId: string): (Pick<Deployment, 'upstreamModel'> & { readonly api: BatchApi }) | undefined {
    const name = deploymentId.replace(FURTHER_KEY, '');
    const found = this.resolve(name)?.deployments.find(({ id }) => id === deploymentId);
    const api = found?.provider.batchApi;
    return found === undefined || api === undefined ? undefined : { upstreamModel: found.upstreamModel, api };
  }

  /** Whether a deployment of the model that is in service has a flex tier that costs less than the list price. */
  hasFlex(model: string): boolean {
    return this.someDeployment(model, (deployment) => hasFlexTier(deployment) && !this.isDrained(deployment));
  }

  /** The same of all its deployments. */
  offersFlex(model: string): boolean {
    return this.someDeployment(model, hasFlexTier);
  }

  private someDeployment(model: string, condition: (deployment: Deployment) => boolean): boolean {
    for (const { deployments } of this.modelsOf(model)) if (deployments.some(condition)) return true;
    return false;
  }

  private *modelsOf(model: string): Generator<ResolvedModel> {
    const resolved = this.resolve(model);
    if (resolved === undefined) return;
    yield resolved;
    for (const fallback of resolved.fallbacks) {
      const other = this.resolve(fallback);
      if (other !== undefined) yield other;
    }
  }

  private resolve(model: string): ResolvedModel | undefined {
    try {
      return this.routing.resolve(model);
    } catch {
      // Removed from the configuration since; its tasks fail when they run.
      return undefined;
    }
  }
}
