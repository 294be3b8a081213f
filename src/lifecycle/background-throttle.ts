import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import { InFlight } from './in-flight.service.js';

/** Milliseconds after a live call during which the process counts as serving live traffic. */
const LIVE_TRAFFIC_MS = 1_000;
/** Milliseconds over which the event loop's utilisation is taken. */
const WINDOW_MS = 100;
/** Milliseconds that background work may keep the event loop in one turn. */
const MAX_TURN_MS = 4;
/** Most pieces of background work that begin in one turn where no live calls are served. */
const PIECES_PER_TURN = 4;
/**
 * How busy background work may make the event loop while live calls are served, as a part of its time. What waits for a
 * loop that is busy for a part `u` of the time waits about `u / (1 - u)` of a piece of work.
 */
const TARGET_UTILISATION = 0.45;
/** Background work never stops altogether. */
const MIN_SCALE = 0.125;

/** Throttles background work while this process serves clients: live requests have priority. */
@Injectable()
export class BackgroundThrottle {
  private since = performance.eventLoopUtilization();
  private takenAt = performance.now();
  /** The part of its slots that background work may use now. */
  private part = 1;
  /** The end of the time for background work in this turn of the event loop; undefined in a new turn. */
  private turnEnds: number | undefined;
  /** Pieces of background work that have begun in this turn. */
  private begun = 0;
  /** Pieces of background work that wait for a turn, in their order. */
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly inFlight: InFlight) {}

  /** Whether live calls are being served, or were until shortly before. */
  get isLive(): boolean {
    return this.inFlight.calls > 0 || performance.now() - this.inFlight.lastCallAt < LIVE_TRAFFIC_MS;
  }

  /** How much of `whole` background work may use, at least 1: less and less while live calls find the loop busy. */
  scale(whole: number): number {
    if (!this.isLive) this.part = 1;
    else this.adjust();
    return Math.max(1, Math.floor(whole * this.part));
  }

  /**
   * Waits for a turn of the event loop in which background work may run for a while: with a provider that responds at once, tasks
   * would otherwise run back to back, and nothing else would be served. While live calls are served, each piece of work has a turn
   * of its own, so that a live call waits for one piece and not for all that could begin together.
   */
  async yieldToEventLoop(): Promise<void> {
    if (this.waiting.length === 0 && !this.isLive && this.hasTime()) return;
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length === 1) this.awaitTurn();
    });
  }

  /** Whether background work may still run in this turn of the event loop. */
  private hasTime(): boolean {
    if (this.turnEnds === undefined) {
      this.turnEnds = performance.now() + MAX_TURN_MS;
      this.begun = 0;
      setImmediate(() => {
        this.turnEnds = undefined;
      });
    }
    // What has begun may not have run yet.
    this.begun += 1;
    return this.begun <= PIECES_PER_TURN && performance.now() <= this.turnEnds;
  }

  private awaitTurn(): void {
    setImmediate(() => {
      for (const resume of this.waiting.splice(0, this.isLive ? 1 : PIECES_PER_TURN)) resume();
      if (this.waiting.length > 0) this.awaitTurn();
    });
  }

  private adjust(): void {
    const now = performance.now();
    if (now - this.takenAt < WINDOW_MS) return;
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.since);
    this.since = current;
    this.takenAt = now;
    this.part = utilization > TARGET_UTILISATION ? Math.max(MIN_SCALE, this.part * 0.7) : Math.min(1, this.part * 1.1);
  }
}
