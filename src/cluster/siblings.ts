import type { LimitStore } from '../limits/limit-store.js';
import type { MetricFamily } from './merge-metrics.js';

/** The other processes that one start of the gateway runs on this machine, if there are any. */
export abstract class Siblings {
  /** Counts that hold for all of them; undefined where this process counts for itself. */
  abstract readonly limits: LimitStore | undefined;

  /**
   * Tells the others. Messages are what JSON can write.
   *
   * @param keepAs also told to processes that start later, until something else is told under the same name
   * @returns when all that serve have heard it
   */
  abstract publish(channel: string, message: unknown, keepAs?: string): Promise<void>;

  /** Listens to what the others tell. */
  abstract subscribe(channel: string, listener: (message: unknown) => void): void;

  /** Says how this process's own metrics are read. */
  abstract provideMetrics(read: () => Promise<readonly MetricFamily[]>): void;

  /** The metrics of all of them in one; undefined where this process's own are all. */
  abstract metrics(): Promise<readonly MetricFamily[] | undefined>;

  /** Leaves what this process has counted to the others, before it ends. */
  abstract bequeath(): Promise<void>;
}

/** One process alone. */
export class NoSiblings extends Siblings {
  readonly limits = undefined;

  publish(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(): void {
    // Nobody tells anything.
  }

  provideMetrics(): void {
    // Nobody asks.
  }

  metrics(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  bequeath(): Promise<void> {
    return Promise.resolve();
  }
}
