import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import { InFlight } from './in-flight.service.js';

/** Milliseconds after a live call during which the process counts as serving live traffic. */
const RECENT = 1_000;
/** Milliseconds over which the event loop's utilisation is taken. */
const WINDOW = 100;
/** From this part of the event loop's time on, live calls would wait for background work. */
const BUSY = 0.6;

/** Lets background work step back while this process answers clients: live requests come first. */
@Injectable()
export class LiveLoad {
  private since = performance.eventLoopUtilization();
  private takenAt = performance.now();
  private utilization = 0;

  constructor(private readonly inFlight: InFlight) {}

  /** Whether live calls are being answered now, or were a moment ago. */
  get isLive(): boolean {
    return this.inFlight.calls > 0 || performance.now() - this.inFlight.lastCallAt < RECENT;
  }

  /** How much of `whole` background work may use: a quarter, at least 1, where live calls would have to wait for it. */
  share(whole: number): number {
    return this.isLive && this.isBusy() ? Math.max(1, Math.ceil(whole / 4)) : whole;
  }

  private isBusy(): boolean {
    const now = performance.now();
    if (now - this.takenAt > WINDOW) {
      const current = performance.eventLoopUtilization();
      this.utilization = performance.eventLoopUtilization(current, this.since).utilization;
      this.since = current;
      this.takenAt = now;
    }
    return this.utilization > BUSY;
  }
}
