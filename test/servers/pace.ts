/**
 * How busy the machine is now, so that a bound of time is a figure plus a multiple of what a trivial request takes in the same
 * run. On an idle machine the bound is little more than the figure; on a busy one it grows with everything else.
 */

/** Requests of one measurement. */
const ROUNDS = 20;
/** How often the slowest trivial request fits into what a busy machine may add to a figure. */
const SLACK = 25;

/** The slowest of some trivial requests to a server, in milliseconds. */
export async function slowestRequest(url: string): Promise<number> {
  let slowest = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    const response = await fetch(url);
    await response.arrayBuffer();
    slowest = Math.max(slowest, performance.now() - started);
  }
  return slowest;
}

/**
 * A bound for something that takes `figure` milliseconds on an idle machine.
 *
 * @param slowest the slowest trivial request of the same run, in milliseconds
 */
export function inTime(figure: number, slowest: number): number {
  return figure + SLACK * slowest;
}
