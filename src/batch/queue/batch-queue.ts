/**
 * Rings a bell: "there is work, look now". The database is the truth, so a ring that is lost costs seconds and a ring too
 * many costs a query; no driver needs to be durable.
 */
export abstract class BatchQueue {
  /** Wakes a worker. Never waits for anything and never throws. */
  abstract notify(jobId: string): void;

  /** Calls `wake` at each ring that reaches this process. */
  abstract onWakeup(wake: () => void): void;
}
