import type { TaskOutcome } from './task-outcomes.js';

/**
 * The jobs of which tasks are on their way back to their lane. Tasks that are claimed before these are stored would start before them,
 * although their place is behind.
 */
export class ReturningTasks {
  /** Tasks by job that are not stored yet. */
  private readonly unstored = new Map<string, number>();
  private readonly sinceClaim = new Set<string>();

  /** A claim begins; there is one at a time. */
  beginClaim(): void {
    this.sinceClaim.clear();
  }

  add({ jobId, isReleased }: Pick<TaskOutcome, 'jobId' | 'isReleased'>): void {
    if (isReleased !== true) return;
    this.sinceClaim.add(jobId);
    this.unstored.set(jobId, (this.unstored.get(jobId) ?? 0) + 1);
  }

  stored({ jobId, isReleased }: Pick<TaskOutcome, 'jobId' | 'isReleased'>): void {
    if (isReleased !== true) return;
    const count = (this.unstored.get(jobId) ?? 0) - 1;
    if (count > 0) this.unstored.set(jobId, count);
    else this.unstored.delete(jobId);
  }

  /** Whether tasks of the job are not back yet. */
  isReturning(jobId: string): boolean {
    return this.unstored.has(jobId);
  }

  /** Whether tasks of the job were released since the claim began, or are not back yet. */
  hasReturned(jobId: string): boolean {
    return this.sinceClaim.has(jobId) || this.unstored.has(jobId);
  }
}
