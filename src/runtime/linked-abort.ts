import type { CancelSignal } from './cancel-signal.js';

/**
 * A signal of its own for one upstream request, aborted with its caller's. Unlike `AbortSignal.any` it leaves nothing
 * behind on the caller once `unlink` has been called.
 */
export class LinkedAbort {
  protected readonly controller = new AbortController();
  private readonly onAbort = (): void => {
    this.controller.abort(this.caller.reason);
  };

  constructor(protected readonly caller: CancelSignal) {
    if (caller.aborted) this.onAbort();
    else caller.addEventListener('abort', this.onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ends the request; its response is no longer needed. */
  abort(): void {
    this.unlink();
    this.controller.abort(new Error('The response is no longer needed.'));
  }

  unlink(): void {
    this.caller.removeEventListener('abort', this.onAbort);
  }

  /** The promise, or the signal's reason when that comes first: packages have waits that no signal reaches. */
  race<Value>(promise: PromiseLike<Value>): Promise<Value> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      // Listened to in any case: a rejection that comes after the abort must not go unheard.
      promise.then(resolve, reject);
      const done = (): void => {
        signal.removeEventListener('abort', onAbort);
      };
      promise.then(done, done);
    });
  }
}
