/**
 * Wall-clock time in epoch milliseconds that never runs backwards: after the machine's clock was set back it stands still until
 * the clock has caught up. Periods of budgets and the times of usage records are read from it, so that a clock that is set
 * back opens no period that was over.
 */
let latest = 0;

/** Later instances of one product may have written records with a time that this machine's clock has not reached yet. */
const MAX_AHEAD_MS = 32 * 86_400_000;

/** The wall-clock time in epoch milliseconds, which never goes back. */
export function steadyNow(): number {
  latest = Math.max(latest, Date.now());
  return latest;
}

/** Holds the clock at a time that is known to have been reached; times further ahead than a month are taken for damaged. */
export function reached(time: number): void {
  if (Number.isFinite(time) && time <= Date.now() + MAX_AHEAD_MS) latest = Math.max(latest, time);
}
