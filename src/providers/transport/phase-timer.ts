import type { Phase } from './transport-error.js';

/** Measures the phase that a request is in. One timer serves phase after phase. */
export class PhaseTimer {
  phase: Phase = 'connect';
  /** Length of the phase in milliseconds; Infinity for no limit. */
  milliseconds = 0;
  private timer: NodeJS.Timeout | undefined;
  /** When the phase is over and when the timer fires, by the monotonic clock. */
  private phaseEndsAt = 0;
  private firesAt = 0;
  private isPaused = false;

  constructor(private readonly onTimeout: (phase: Phase, milliseconds: number) => void) {}

  /** Starts a phase. */
  enter(phase: Phase, milliseconds: number): void {
    this.phase = phase;
    this.milliseconds = milliseconds;
    if (this.isPaused) return;
    this.phaseEndsAt = performance.now() + milliseconds;
    if (milliseconds === Infinity) {
      this.stop();
      return;
    }
    // A timer that fires too early is set again, which costs less than a new timer for each phase.
    if (this.timer === undefined || this.firesAt > this.phaseEndsAt) this.set();
  }

  /** The other side has shown activity: the time of the phase starts again. */
  restart(): void {
    this.phaseEndsAt = performance.now() + this.milliseconds;
  }

  /** Stops measuring until `resume`, because the gateway itself does not read. */
  pause(): void {
    this.isPaused = true;
    this.stop();
  }

  resume(): void {
    this.isPaused = false;
    this.enter(this.phase, this.milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private set(): void {
    clearTimeout(this.timer);
    this.firesAt = this.phaseEndsAt;
    this.timer = setTimeout(this.fire, Math.ceil(this.phaseEndsAt - performance.now()));
  }

  private readonly fire = (): void => {
    if (performance.now() < this.phaseEndsAt) this.set();
    else this.onTimeout(this.phase, this.milliseconds);
  };
}
