/** Duration of a bucket in milliseconds, and number of buckets: five minutes. */
const BUCKET_MS = 10_000;
const BUCKETS = 30;
export const RECENT_MS = BUCKET_MS * BUCKETS;

interface Bucket {
  readonly start: number;
  succeeded: number;
  failed: number;
  /** Sum of the times to first byte in milliseconds. */
  waited: number;
}

/** Outcomes of the calls of a period. */
export interface CallCounts {
  readonly succeeded: number;
  readonly failed: number;
  /** Average time to first byte in milliseconds of those that succeeded; undefined where there were none. */
  readonly firstByte: number | undefined;
}

/** Outcomes of the calls of the last five minutes. Times are those of a monotonic clock in milliseconds. */
export class RecentCalls {
  private buckets: Bucket[] = [];

  constructor(private readonly now: () => number) {}

  succeeded(firstByte: number): void {
    const bucket = this.bucket();
    bucket.succeeded += 1;
    bucket.waited += firstByte;
  }

  failed(): void {
    this.bucket().failed += 1;
  }

  /** @param milliseconds at most five minutes; in steps of ten seconds */
  within(milliseconds: number): CallCounts {
    const since = this.now() - milliseconds;
    let succeeded = 0;
    let failed = 0;
    let waited = 0;
    for (const bucket of this.buckets) {
      if (bucket.start <= since) continue;
      succeeded += bucket.succeeded;
      failed += bucket.failed;
      waited += bucket.waited;
    }
    return { succeeded, failed, firstByte: succeeded === 0 ? undefined : waited / succeeded };
  }

  private bucket(): Bucket {
    const now = this.now();
    const last = this.buckets.at(-1);
    if (last !== undefined && now - last.start < BUCKET_MS) return last;
    const fresh = { start: now, succeeded: 0, failed: 0, waited: 0 };
    this.buckets = [...this.buckets.filter(({ start }) => now - start < RECENT_MS), fresh];
    return fresh;
  }
}
