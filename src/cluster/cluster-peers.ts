import type { MetricFamily } from './merge-metrics.js';

/** Requests and messages to the primary. */
export interface PrimaryChannel {
  /** @returns the response; undefined when the primary has exited */
  ask(kind: string, payload: unknown): Promise<unknown>;
  notify(kind: string, payload: unknown): void;
}

/** The other gateway processes on this machine that belong to the same instance. */
export abstract class ClusterPeers {
  /** The channel to state that the primary keeps for all processes; undefined where this process keeps it itself. */
  abstract readonly primary: PrimaryChannel | undefined;

  /**
   * Sends a message to the other processes. Messages must be serializable as JSON.
   *
   * @param keepAs also sent to processes that start later, until another message is published under this name
   * @returns when all serving processes have received it
   */
  abstract publish(channel: string, message: unknown, keepAs?: string): Promise<void>;

  /** Subscribes to messages of the other processes. */
  abstract subscribe(channel: string, listener: (message: unknown) => void): void;

  /** Registers the function that reads this process's own metrics. */
  abstract provideMetrics(read: () => Promise<readonly MetricFamily[]>): void;

  /** The merged metrics of all processes; undefined where there is only this process. */
  abstract metrics(): Promise<readonly MetricFamily[] | undefined>;

  /** Hands this process's counters over to the primary before it exits. */
  abstract handOverMetrics(): Promise<void>;
}

/** A single process without peers. */
export class NoClusterPeers extends ClusterPeers {
  readonly primary = undefined;

  publish(): Promise<void> {
    return Promise.resolve();
  }

  subscribe(): void {
    // There are no peers that send messages.
  }

  provideMetrics(): void {
    // There is no primary that reads them.
  }

  metrics(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  handOverMetrics(): Promise<void> {
    return Promise.resolve();
  }
}
