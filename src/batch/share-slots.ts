import type { JobPriority } from './batch-job.entity.js';

/** A job that wants slots. */
export interface SlotRequest {
  readonly id: string;
  readonly keyId: string;
  readonly priority: JobPriority;
  /** Tasks of it that run in this process now. */
  readonly running: number;
  /** Most further tasks that it may get; what its model's limit leaves. */
  readonly room: number;
}

const WEIGHTS: Readonly<Record<JobPriority, number>> = { high: 4, normal: 2, low: 1 };

/**
 * Shares free slots over keys first, evenly, and then over the jobs of a key, by priority, so that a job of 50,000 tasks does
 * not starve one of ten. Pure: what it decides depends on its arguments alone.
 *
 * @returns how many tasks to claim of each job, without those that get none
 */
export function shareSlots(jobs: readonly SlotRequest[], slots: number): Map<string, number> {
  const shares = new Map<string, number>();
  const perKey = new Map<string, number>();
  for (const { keyId, running } of jobs) perKey.set(keyId, (perKey.get(keyId) ?? 0) + running);
  const candidates = jobs.map((job) => ({ ...job, given: 0, weight: WEIGHTS[job.priority] }));
  for (let free = slots; free > 0; free -= 1) {
    let best: (typeof candidates)[number] | undefined;
    let bestLoad = Infinity;
    let bestOwn = Infinity;
    for (const candidate of candidates) {
      if (candidate.given >= candidate.room) continue;
      const load = perKey.get(candidate.keyId) ?? 0;
      const own = (candidate.running + candidate.given) / candidate.weight;
      if (load < bestLoad || (load === bestLoad && own < bestOwn)) {
        best = candidate;
        bestLoad = load;
        bestOwn = own;
      }
    }
    if (best === undefined) break;
    best.given += 1;
    perKey.set(best.keyId, (perKey.get(best.keyId) ?? 0) + 1);
    shares.set(best.id, best.given);
  }
  return shares;
}
