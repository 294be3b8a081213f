/**
 * Wakes workers when there is work. The database holds the state: a lost wake-up delays work by seconds and a superfluous one
 * costs a query, so no driver needs to be durable.
 */
export abstract class BatchQueue {
  /** Wakes a worker. Returns at once and never throws. */
  abstract notify(jobId: string): void;

  /** Calls `wake` at each wake-up that reaches this process. */
  abstract onWakeup(wake: () => void): void;
}
