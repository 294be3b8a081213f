import { upstreamTimeout } from '../errors/gateway-error.js';

/**
 * The signal of one upstream attempt: aborted with the caller's reason when the caller is, and with an
 * `upstream_timeout` when `total` milliseconds are over. `clear` must be called when the attempt has ended.
 */
export class CallDeadline {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly onAbort = (): void => {
    this.controller.abort(this.caller.reason);
  };

  constructor(
    private readonly caller: AbortSignal,
    total: number,
  ) {
    this.timer = setTimeout(() => {
      this.controller.abort(
        upstreamTimeout({
          message: `The upstream provider did not finish within the total timeout of ${total / 1000} s.`,
        }),
      );
    }, total);
    this.timer.unref();
    if (caller.aborted) this.onAbort();
    else caller.addEventListener('abort', this.onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether the caller has gone, as opposed to the upstream being too slow. */
  get isAbandoned(): boolean {
    return this.caller.aborted;
  }

  clear(): void {
    clearTimeout(this.timer);
    this.caller.removeEventListener('abort', this.onAbort);
  }
}
