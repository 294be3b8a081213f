import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { boundNanoDollars, readDollars, toDollars } from '../../runtime/nano-dollars.js';
import { markDuplicates } from '../duplicates.js';
import type { NewJob } from '../submission/new-job.js';
import { ownModel } from '../submission/own-model.js';
import type { TaskSpool } from '../submission/task-spool.js';
import { parseExact } from '../../runtime/exact-integers.js';
import type { BatchEstimateDto, ModelEstimateDto } from './estimate.dto.js';
import { LineSizes } from './line-sizes.js';

/** Milliseconds of estimating after which it yields to the event loop. */
const SLICE_MS = 8;

interface ModelSums {
  taskCount: number;
  tokens: number;
  /** Billionths of a US dollar; null once a price is not known. */
  likely: number | null;
  worst: number | null;
}

/** A job that is not stored, with its tasks. */
export interface EstimatedJob {
  readonly job: NewJob;
  readonly spool: TaskSpool;
}

/** Estimates what batches need, as the limits of live requests do. */
@Injectable()
export class Estimates {
  constructor(private readonly sizes: LineSizes) {}

  async of({ job, spool }: EstimatedJob, principal: Principal): Promise<BatchEstimateDto> {
    const { options } = job;
    const perModel = new Map<string, ModelSums>();
    let duplicates = 0;
    let sliceEnd = performance.now() + SLICE_MS;
    for (const group of options?.dedupe === true ? markDuplicates(spool.groups()) : spool.groups()) {
      for (const { request, operation = 'chat', dialect = null, sameAs } of group) {
        if (sameAs !== undefined) {
          duplicates += 1;
          continue;
        }
        const model = ownModel(request, job.model) ?? job.model;
        const task = { operation, dialect, request: parseExact(request) as Record<string, unknown> };
        const owner = { model: job.model, defaults: (job.defaults ?? {}) as Record<string, unknown> };
        const { tokens, likelyCost, mostCost } = await this.sizes.detailOf(task, owner, principal.keyId);
        const sums = perModel.get(model) ?? { taskCount: 0, tokens: 0, likely: 0, worst: 0 };
        sums.taskCount += 1;
        sums.tokens += tokens;
        sums.likely = plus(sums.likely, likelyCost);
        sums.worst = plus(sums.worst, mostCost);
        perModel.set(model, sums);
        if (performance.now() < sliceEnd) continue;
        await new Promise(setImmediate);
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    const all = [...perModel.values()];
    const tokens = all.reduce((sum, each) => sum + each.tokens, 0);
    const likely = all.reduce((sum: number | null, each) => plus(sum, each.likely), 0);
    const worst = all.reduce((sum: number | null, each) => plus(sum, each.worst), 0);
    const maxCost = options?.max_cost_usd === undefined ? undefined : readDollars(options.max_cost_usd);
    return {
      object: 'batch.estimate',
      task_count: spool.count,
      duplicate_count: duplicates,
      tokens,
      likely_cost_usd: dollars(likely),
      worst_cost_usd: dollars(worst),
      is_covered: maxCost === undefined ? null : worst !== null && worst <= maxCost,
      seconds_at_rate: secondsAt(options?.rate, spool.count - duplicates, tokens),
      starts_at: Math.ceil((job.heldUntil ?? Date.now()) / 1_000),
      models: [...perModel].map(([model, sums]): ModelEstimateDto => ({
        model,
        task_count: sums.taskCount,
        tokens: sums.tokens,
        likely_cost_usd: dollars(sums.likely),
        worst_cost_usd: dollars(sums.worst),
      })),
    };
  }
}

function plus(sum: number | null, more: number | null): number | null {
  return sum === null || more === null ? null : sum + more;
}

function dollars(nanos: number | null): number | null {
  return nanos === null ? null : toDollars(boundNanoDollars(nanos));
}

/** At least: a rate never has more than this in any minute. */
function secondsAt(
  rate: { readonly requests_per_minute?: number; readonly tokens_per_minute?: number } | undefined,
  tasks: number,
  tokens: number,
): number | null {
  if (rate === undefined) return null;
  const { requests_per_minute: requests = Infinity, tokens_per_minute: tokensOfMinute = Infinity } = rate;
  return Math.ceil(60 * Math.max(tasks / requests, tokens / tokensOfMinute));
}
