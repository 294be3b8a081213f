/** Options of a repeated task. */
export interface PeriodicOptions {
  /** Milliseconds between the beginnings of two runs. */
  readonly intervalMs: number;
  /** Receives the error of a run; the next run takes place anyway. */
  readonly onError: (error: unknown) => void;
  /** Whether the first run comes at the start rather than after the first interval. Default false. */
  readonly runsAtStart?: boolean;
}

/**
 * Repeats work at an interval until it is stopped. Two runs never overlap: while one takes longer than the interval, the runs
 * that fall due meanwhile are left out. The timer does not keep the process alive.
 */
export class Periodic {
  private readonly timer: NodeJS.Timeout;
  private current: Promise<void> | undefined;
  private isStopped = false;

  constructor(
    private readonly work: () => unknown,
    private readonly options: PeriodicOptions,
  ) {
    this.timer = setInterval(() => void this.run(), options.intervalMs).unref();
    if (options.runsAtStart === true) void this.run();
  }

  /** Runs now, unless a run is in progress. @returns when that run, or the one in progress, has ended; never rejects */
  run(): Promise<void> {
    if (this.isStopped) return this.current ?? Promise.resolve();
    this.current ??= this.runOnce().finally(() => {
      this.current = undefined;
    });
    return this.current;
  }

  /** Begins no further run. @returns when the run in progress has ended */
  stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    return this.current ?? Promise.resolve();
  }

  private async runOnce(): Promise<void> {
    try {
      await this.work();
    } catch (error) {
      this.options.onError(error);
    }
  }
}
