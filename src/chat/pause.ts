import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted first. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}
