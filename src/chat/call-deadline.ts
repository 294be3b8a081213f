import { upstreamTimeout } from '../errors/gateway-error.js';
import { LinkedAbort } from './linked-abort.js';

/**
 * The signal of one upstream attempt: aborted with the caller's reason when the caller is, and with an
 * `upstream_timeout` when `total` milliseconds are over. `clear` must be called when the attempt has ended.
 */
export class CallDeadline extends LinkedAbort {
  private readonly timer: NodeJS.Timeout;

  constructor(caller: AbortSignal, total: number) {
    super(caller);
    this.timer = setTimeout(() => {
      this.controller.abort(
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
    this.unlink();
  }
}
