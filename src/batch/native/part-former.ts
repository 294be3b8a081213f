import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import type { Deployment } from '../../routing/resolved-model.js';
import { JobLimitStore } from '../control/job-limit-store.js';
import { closedTime } from './closed-time.js';
import { partSize } from './part-size.js';
import { PartStore, type WaitingLane } from './part-store.js';
import { type PartJob, PartTasks } from './part-tasks.js';
import { TierPlanner } from './tier-planner.js';
import { nativeLane } from './tiers.js';

/** Times the gathering time after which a part is made although further tasks are likely to come. */
const MAX_GATHERS = 12;

/** Makes parts of tasks that wait for a provider's batch. */
@Injectable()
export class PartFormer {
  constructor(
    private readonly parts: PartStore,
    private readonly partTasks: PartTasks,
    private readonly limits: JobLimitStore,
    private readonly planner: TierPlanner,
    private readonly config: GatewayConfig,
  ) {}

  /** Makes a part of the tasks of a lane, once there are enough of them or they have waited long enough. */
  async form(waiting: WaitingLane, worker: string): Promise<void> {
    const { gather, maxLines } = this.config.batch.native;
    const isFull = waiting.waiting >= maxLines;
    const isRipe = waiting.ageMs >= gather && (!waiting.mayGrow || waiting.ageMs >= gather * MAX_GATHERS);
    const isDue = isFull || isRipe;
    if (!isDue && !this.planner.hasDrained) return;
    const job = await this.partTasks.job(waiting.jobId);
    if (job === undefined) return;
    const deployment = await this.deploymentOf(waiting, job);
    // The tasks of a drained deployment need not wait for others: the first step of the part lets them go on elsewhere.
    const isDrained = deployment !== undefined && this.planner.isDrained(deployment);
    if (!isDue && !isDrained) return;
    const closed = closedTime(job, await this.parts.now());
    if (closed !== undefined) {
      await this.limits.transaction((manager) => this.limits.hold(manager, job.id, closed));
      return;
    }
    const api = deployment?.provider.batchApi;
    const bounds = { minLines: api?.minLines ?? 1, maxLines: Math.min(maxLines, api?.maxLines ?? maxLines) };
    if (!isRipe && !isDrained && waiting.waiting < bounds.minLines) return;
    // Without a deployment the first step of the part ends it, so that its tasks go on.
    const facts = { keyId: job.keyId, deployment: deployment?.id ?? '' };
    await this.parts.form(waiting, facts, partSize(waiting.waiting, bounds), worker);
  }

  /** The deployment that the tasks of a lane are for; undefined where the configuration no longer has it. */
  private async deploymentOf({ jobId, lane }: WaitingLane, job: PartJob): Promise<Deployment | undefined> {
    const kind = await this.partTasks.kindOf(jobId, lane);
    if (kind === undefined) return undefined;
    for (const deployment of this.planner.nativeDeployments(kind.model ?? job.model, kind.operation)) {
      if (nativeLane(deployment.id, kind.operation, kind.dialect) === lane) return deployment;
    }
    return undefined;
  }
}
