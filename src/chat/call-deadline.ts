import { upstreamTimeout } from '../errors/gateway-error.js';
import { Cancel, type Cancellation } from './cancellation.js';

/**
 * Calls one upstream attempt off: with the caller's reason when the caller is, and with an `upstream_timeout` when `total`
 * milliseconds are over. `clear` must be called when the attempt has ended.
 */
export class CallDeadline extends Cancel {
  private readonly timer: NodeJS.Timeout;
  private readonly onAbort = (): void => {
    this.abort(this.caller.reason);
  };

  constructor(
    private readonly caller: Cancellation,
    total: number,
  ) {
    super();
    if (caller.aborted) this.onAbort();
    else caller.addEventListener('abort', this.onAbort, { once: true });
    this.timer = setTimeout(() => {
      this.abort(
        upstreamTimeout({
          message: `The upstream provider did not finish within the total timeout of ${total / 1000} s.`,
          hadBegun: true,
        }),
      );
    }, total);
    this.timer.unref();
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
