import type { ReadyLane } from './lanes.js';
import { WEIGHTS } from './share-slots.js';

/** Most tasks that a claim takes of a lane before it takes of another. */
const MOST_PER_LANE = 8;
/** A claim of short tasks takes a lane's turn of this part of what is claimed ahead. */
const AHEAD_PART = 4;

/**
 * Tasks that a claim takes of each lane, if it can. Each lane of a claim costs a row of the lane and one of its job. While
 * tasks are short, so that much is claimed ahead, the next claim comes soon and takes of other lanes; while they are long,
 * each claim is spread over as many lanes as it can be.
 */
export function tasksPerLane(ahead: number): number {
  return Math.max(1, Math.min(MOST_PER_LANE, Math.floor(ahead / AHEAD_PART)));
}

/**
 * Lanes for one claim, by chance and by the weight of their priority, so that each has its turn over some claims and several
 * processes do not meet at the same lanes. Of each group as many as it takes to fill its part of the slots.
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
