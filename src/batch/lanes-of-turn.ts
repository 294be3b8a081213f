import type { ReadyLane } from './ready-lanes.js';
import { WEIGHTS } from './share-slots.js';

/** Most tasks that a claim takes from a lane before it takes from another. */
const MAX_PER_LANE = 8;
/** Divisor: a claim of short tasks takes this part of the tasks claimed ahead from one lane. */
const AHEAD_PART = 4;

/**
 * Tasks that a claim takes from each lane, if available. Each lane of a claim costs a row of the lane and one of its job. With
 * short tasks, where much is claimed ahead, the next claim comes soon and takes from other lanes; with long tasks, each claim
 * is spread over as many lanes as possible.
 */
export function tasksPerLane(ahead: number): number {
  return Math.max(1, Math.min(MAX_PER_LANE, Math.floor(ahead / AHEAD_PART)));
}

/**
 * Lanes for one claim, chosen randomly by the weight of their priority, so that each is served over some claims and several
 * processes choose different lanes. From each group as many as are needed to fill its share of the slots.
 *
 * @param random from 0 to 1, without 1
 */
export function lanesOfTurn<Lane extends Pick<ReadyLane, 'group' | 'priority' | 'waiting'>>(
  lanes: readonly Lane[],
  { slots, perLane, random = Math.random }: { slots: number; perLane: number; random?: () => number },
): Lane[] {
  if (perLane <= 1) return [...lanes];
  const drawn = lanes
    .map((lane) => ({ lane, place: Math.log(1 - random()) / WEIGHTS[lane.priority] }))
    .sort((a, b) => b.place - a.place);
  const part = Math.ceil(slots / new Set(lanes.map(({ group }) => group)).size);
  const filled = new Map<string, number>();
  const chosen = new Set<Lane>();
  for (const { lane } of drawn) {
    const sum = filled.get(lane.group) ?? 0;
    if (sum >= part) continue;
    filled.set(lane.group, sum + Math.min(lane.waiting, perLane));
    chosen.add(lane);
  }
  return lanes.filter((lane) => chosen.has(lane));
}
