import type { MetricFamily } from './merge-metrics.js';

/** Questions and messages of a kind to the primary. */
export interface PrimaryChannel {
  /** @returns the answer; undefined when the primary is gone */
  ask(kind: string, payload: unknown): Promise<unknown>;
  notify(kind: string, payload: unknown): void;
}

/** The other processes that one start of the gateway runs on this machine, if there are any. */
export abstract class ClusterPeers {
  /** The way to what the primary keeps for all of them; undefined where this process keeps it for itself. */
  abstract readonly primary: PrimaryChannel | undefined;

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
  abstract handOverMetrics(): Promise<void>;
}

/** One process alone. */
export class NoClusterPeers extends ClusterPeers {
  readonly primary = undefined;

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

  handOverMetrics(): Promise<void> {
    return Promise.resolve();
  }
}
