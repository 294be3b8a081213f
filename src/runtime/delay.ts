import type { CancelSignal } from './cancel-signal.js';

/** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted first. */
export function delay(milliseconds: number, signal: CancelSignal): Promise<void> {
  return waitOrAbort(signal, (resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    return () => clearTimeout(timer);
  });
}

/**
 * Resolves when the operation started by `begin` calls back; rejects with the signal's reason when it is aborted first.
 *
 * @param begin returns a function that cancels the operation
 */
export function waitOrAbort(signal: CancelSignal, begin: (resolve: () => void) => () => void): Promise<void> {
  return new Promise((resolve, reject: (reason: Error) => void) => {
    signal.throwIfAborted();
    const onAbort = (): void => {
      cancel();
      reject(signal.reason as Error);
    };
    const cancel = begin(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
