import { upstreamTimeout } from '../errors/gateway-error.js';
import { CancelSource, type CancelSignal } from '../runtime/cancel-signal.js';

/** The longest delay that a timer of Node.js supports. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Aborts one upstream attempt: with the caller's reason when the caller aborts, and with an `upstream_timeout` after `total`
 * milliseconds. `clear` must be called when the attempt has ended.
 */
export class AttemptTimeout extends CancelSource {
  private readonly timer: NodeJS.Timeout;
  private isOver = false;
  private readonly onAbort = (): void => {
    this.abort(this.caller.reason);
  };

  /** @param isOfCaller whether the request set this timeout itself, as opposed to the configuration */
  constructor(
    private readonly caller: CancelSignal,
    total: number,
    private readonly isOfCaller = false,
  ) {
    super();
    if (caller.aborted) this.onAbort();
    else caller.addEventListener('abort', this.onAbort, { once: true });
    const milliseconds = Math.max(0, total);
    this.timer = setTimeout(
      () => {
        this.isOver = true;
        this.abort(
          upstreamTimeout({
            message: isOfCaller
              ? 'The upstream provider did not finish within the time that the request asked for.'
              : `The upstream provider did not finish within the total timeout of ${milliseconds / 1000} s.`,
            mayBeBilled: true,
          }),
        );
      },
      Math.min(MAX_TIMER_MS, milliseconds),
    );
    this.timer.unref();
  }

  /** Whether the caller has disconnected or its own timeout is over; neither is evidence about the provider. */
  get isEndedByCaller(): boolean {
    return this.caller.aborted || (this.isOver && this.isOfCaller);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.caller.removeEventListener('abort', this.onAbort);
  }
}
