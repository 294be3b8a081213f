import { Injectable } from '@nestjs/common';
import type { NanoDollars } from '../../runtime/nano-dollars.js';
import { beyondCost, unpriced } from '../control/cost-refusals.js';
import { JobLimitStore } from '../control/job-limit-store.js';
import { LineSizes } from '../control/line-sizes.js';
import type { BatchPart } from './batch-part.entity.js';
import { type PartJob, type PartTask, PartTasks } from './part-tasks.js';

/** Tasks that are read at once. */
const TASKS_PER_READ = 100;
/** Milliseconds for which a part has its reservation: until it has ended, also while no process runs. */
const SHARE_MS = 100 * 365 * 86_400_000;

/** Which tasks of a part what is left of `max_cost_usd` covers. */
export interface CoveredTasks {
  readonly covered: readonly number[];
  /** Tasks that may fit once other parts and calls have ended. */
  readonly waiting: readonly number[];
  /** Tasks that cannot fit any more, with their error as JSON text. */
  readonly refused: readonly { readonly taskIndex: number; readonly error: string }[];
}

/**
 * Reserves what the lines of parts may cost of `max_cost_usd`, in the table in which processes reserve the cost of calls. The row of a
 * part stays until the part has ended, so that it holds through crashes.
 */
@Injectable()
export class PartCosts {
  constructor(
    private readonly limits: JobLimitStore,
    private readonly partTasks: PartTasks,
    private readonly sizes: LineSizes,
  ) {}

  /** Reserves the highest cost of as many tasks as fit, in place of an earlier reservation of the part. */
  async reserve(
    part: Pick<BatchPart, 'id' | 'lane'>,
    job: PartJob,
    indexes: readonly number[],
    maxCost: NanoDollars,
  ): Promise<CoveredTasks> {
    const most = await this.mostOf(part, job, indexes);
    return this.limits.transaction(async (manager) => {
      const { spent } = await this.limits.lockJob(manager, job.id);
      const shares = await this.limits.sharesOfOthers(manager, job.id, part.id);
      const others = shares.reduce((sum, share) => sum + share.reserved, 0);
      const covered: number[] = [];
      const waiting: number[] = [];
      const refused: { taskIndex: number; error: string }[] = [];
      let reserved = 0;
      for (const [taskIndex, cost] of most) {
        if (cost === null) refused.push({ taskIndex, error: unpriced(job.model) });
        else if (spent + cost > maxCost) refused.push({ taskIndex, error: beyondCost(maxCost, spent, cost) });
        else if (spent + others + reserved + cost > maxCost) waiting.push(taskIndex);
        else {
          covered.push(taskIndex);
          reserved += cost;
        }
      }
      await this.limits.writeShare(manager, job.id, { worker: part.id, slots: 0, reserved }, SHARE_MS);
      return { covered, waiting, refused };
    });
  }

  /** The most that a call of a task can cost; null where a price is not known. */
  async mostOfTask(task: PartTask, job: PartJob): Promise<NanoDollars | null> {
    return (await this.sizes.of(task, job, job, true)).mostCost;
  }

  private async mostOf(
    part: Pick<BatchPart, 'lane'>,
    job: PartJob,
    indexes: readonly number[],
  ): Promise<ReadonlyMap<number, NanoDollars | null>> {
    const most = new Map<number, NanoDollars | null>();
    for (let start = 0; start < indexes.length; start += TASKS_PER_READ) {
      for (const task of await this.partTasks.tasks(job.id, part.lane, indexes.slice(start, start + TASKS_PER_READ))) {
        most.set(task.taskIndex, await this.mostOfTask(task, job));
      }
      await new Promise(setImmediate);
    }
    return most;
  }
}
