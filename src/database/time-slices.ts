/** Target of the processor time of one slice in milliseconds. */
const TARGET_SLICE_MS = 20;
/** Length of the first slice, and minimum length, in milliseconds. */
const FIRST_SLICE_MS = 3_600_000;
const MIN_SLICE_MS = 1_000;
/** Maximum ratio between the lengths of two consecutive slices. */
const MAX_GROWTH_FACTOR = 4;

/** From `start` until before `end`, in epoch milliseconds. */
export interface TimeSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a time span into parts, the latest first, for reading a table by its time on SQLite, whose driver blocks the event loop
 * during a statement. The length of each part follows from the processor time of the one before, and other work runs in between.
 * Its duration would say nothing on a busy machine: a part would get shorter and shorter because the process waits for a processor.
 *
 * @param gone aborted when nothing waits for the result any more
 * @throws the reason of `gone`
 */
export async function* timeSlices({ start, end }: TimeSpan, gone?: AbortSignal): AsyncGenerator<TimeSpan> {
  let length = FIRST_SLICE_MS;
  for (let until = end; until > start;) {
    const from = Math.max(start, until - length);
    const took = stopwatch();
    yield { start: from, end: until };
    const ratio = TARGET_SLICE_MS / Math.max(took(), 0.1);
    length = Math.max(
      MIN_SLICE_MS,
      Math.round(length * Math.min(MAX_GROWTH_FACTOR, Math.max(1 / MAX_GROWTH_FACTOR, ratio))),
    );
    until = from;
    await new Promise(setImmediate);
    gone?.throwIfAborted();
  }
}

/** @returns what gives the milliseconds since now that the process has worked: less than the duration where it waits for a processor */
function stopwatch(): () => number {
  const began = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    // Other threads of the process work too, so the duration is a bound.
    return Math.min(performance.now() - began, (user + system) / 1_000);
  };
}
