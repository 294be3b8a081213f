const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;

/**
 * Milliseconds until a task is tried again: full jitter under a bound that doubles with each attempt, and never earlier
 * than the upstream asked for.
 *
 * @param attempts calls that have ended, 1 or more
 */
export function retryDelay(
  attempts: number,
  retryAfterMs: number | undefined,
  random: () => number = Math.random,
): number {
  const bound = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1));
  return (retryAfterMs ?? 0) + random() * bound;
}
