import type { JobPriority } from './batch-job.entity.js';

/** A lane that requests slots. */
export interface SlotRequest {
  readonly id: string;
  readonly keyId: string;
  readonly priority: JobPriority;
  /** Most tasks that it may get. */
  readonly room: number;
  /** Names of limits that it shares with other lanes, whose free slots are in `rooms`: its model, its key's tasks for the model. */
  readonly shares?: readonly string[];
}

/** The slots in use by key, and the free slots of shared limits. */
export interface SlotLoad {
  /** Tasks of each key that this process holds now. */
  readonly perKey: ReadonlyMap<string, number>;
  /** Tasks that may be claimed of what several lanes share. */
  readonly rooms: ReadonlyMap<string, number>;
}

/** The relative weight of a lane beside others of its key. */
export const WEIGHTS: Readonly<Record<JobPriority, number>> = { high: 4, normal: 2, low: 1 };

/**
 * Shares free slots over keys first, evenly, and then over the lanes of a key, by priority, so that a job of 50,000 tasks does
 * not starve one of ten. Pure: what it decides depends on its arguments alone.
 *
 * @returns how many tasks to claim of each lane, without those that get none
 */
export function shareSlots(lanes: readonly SlotRequest[], slots: number, load?: SlotLoad): Map<string, number> {
  const shares = new Map<string, number>();
  const perKey = new Map(load?.perKey);
  const rooms = new Map(load?.rooms);
  const candidates = lanes.map((lane) => ({ ...lane, given: 0, weight: WEIGHTS[lane.priority] }));
  const hasRoom = (name: string): boolean => (rooms.get(name) ?? Infinity) > 0;
  for (let free = slots; free > 0; free -= 1) {
    let best: (typeof candidates)[number] | undefined;
    let bestLoad = Infinity;
    let bestOwn = Infinity;
    for (const candidate of candidates) {
      if (candidate.given >= candidate.room || candidate.shares?.every(hasRoom) === false) continue;
      const keyLoad = perKey.get(candidate.keyId) ?? 0;
      const own = candidate.given / candidate.weight;
      if (keyLoad < bestLoad || (keyLoad === bestLoad && own < bestOwn)) {
        best = candidate;
        bestLoad = keyLoad;
        bestOwn = own;
      }
    }
    if (best === undefined) break;
    best.given += 1;
    perKey.set(best.keyId, (perKey.get(best.keyId) ?? 0) + 1);
    for (const name of best.shares ?? []) rooms.set(name, (rooms.get(name) ?? Infinity) - 1);
    shares.set(best.id, best.given);
  }
  return shares;
}
