import type { LaneTasks } from './lanes.js';

/** `[jobId, model, nextIndex, endIndex, indexes]`, as stored in a claim's row. */
type StoredLane = [jobId: string, model: string, nextIndex: number, endIndex: number, indexes: readonly number[]];

/** The text stored in a claim's row. */
export function storedLanes(lanes: readonly LaneTasks[]): string {
  return JSON.stringify(
    lanes.map(({ jobId, model, nextIndex, endIndex, indexes }) => [jobId, model, nextIndex, endIndex, indexes]),
  );
}

/** @param text as `storedLanes` wrote it */
export function readLanes(text: string): LaneTasks[] {
  return (JSON.parse(text) as StoredLane[]).map(([jobId, model, nextIndex, endIndex, indexes]) => ({
    jobId,
    model,
    nextIndex,
    endIndex,
    indexes,
  }));
}

/** Each index of a lane's tasks, and whether it is a single one. */
export function* indexesOf({ nextIndex, endIndex, indexes }: LaneTasks): Generator<[index: number, isSingle: boolean]> {
  for (let index = nextIndex; index < endIndex; index += 1) yield [index, false];
  for (const index of indexes) yield [index, true];
}

/** How many tasks. */
export function countOf({ nextIndex, endIndex, indexes }: LaneTasks): number {
  return endIndex - nextIndex + indexes.length;
}
