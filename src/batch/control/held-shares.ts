import type { NanoDollars } from '../../runtime/nano-dollars.js';

/** Milliseconds for which a process does not claim of a job of which others hold all that there is. */
const BLOCKED_MS = 1_000;

interface HeldLine {
  /** The most that it can cost. */
  most: number;
  /** Until when it has to start, in milliseconds of `performance.now()`. */
  readonly startsUntil: number;
}

/** What this process holds of one job. */
interface HeldJob {
  readonly lines: Map<number, HeldLine>;
  /** Tasks that it may run at once; Infinity without a limit. */
  slots: number;
  /** In milliseconds of `performance.now()`. */
  blockedUntil: number;
  /** Whether other processes have to know what it holds. */
  readonly isShared: boolean;
}

/** A task by its job and its place in it. */
interface TaskRef {
  readonly jobId: string;
  readonly taskIndex: number;
}

/** The admitted tasks of jobs with limits that this process holds. */
export class HeldShares {
  private readonly jobs = new Map<string, HeldJob>();
  /** Until when this process claims nothing of a job, in milliseconds of `performance.now()`. */
  private readonly blocked = new Map<string, number>();

  /** Whether claiming tasks of the job is of no use now. */
  isBlocked(jobId: string): boolean {
    const until = this.blocked.get(jobId);
    if (until !== undefined) {
      if (until > performance.now()) return true;
      this.blocked.delete(jobId);
    }
    const job = this.jobs.get(jobId);
    if (job === undefined) return false;
    if (job.blockedUntil > performance.now()) return true;
    if (job.lines.size === 0) this.jobs.delete(jobId);
    return false;
  }

  /** Makes claiming tasks of the job of no use for a while, also when tasks of it end meanwhile. */
  block(jobId: string, milliseconds: number): void {
    const now = performance.now();
    for (const [id, until] of this.blocked) if (until <= now) this.blocked.delete(id);
    this.blocked.set(jobId, now + milliseconds);
  }

  get jobIds(): readonly string[] {
    return [...this.jobs.keys()];
  }

  /** Tasks of the job that are admitted and not stored yet. */
  count(jobId: string): number {
    return this.jobs.get(jobId)?.lines.size ?? 0;
  }

  /** The most that they can cost. */
  reserved(jobId: string): number {
    let sum = 0;
    for (const { most } of this.jobs.get(jobId)?.lines.values() ?? []) sum += most;
    return sum;
  }

  slots(jobId: string): number {
    return this.jobs.get(jobId)?.slots ?? Infinity;
  }

  /** Whether a task that was admitted may still start; false where its window has closed, or the time of its rate is over. */
  mayStart({ jobId, taskIndex }: TaskRef): boolean {
    return (this.jobs.get(jobId)?.lines.get(taskIndex)?.startsUntil ?? Infinity) > performance.now();
  }

  admit(
    jobId: string,
    lines: readonly { readonly taskIndex: number; readonly most: NanoDollars }[],
    {
      slots,
      startsUntil,
      isFull,
      isShared,
    }: { slots: number; startsUntil: number; isFull: boolean; isShared: boolean },
  ): void {
    const job = this.jobs.get(jobId) ?? { lines: new Map<number, HeldLine>(), slots, blockedUntil: 0, isShared };
    for (const { taskIndex, most } of lines) job.lines.set(taskIndex, { most, startsUntil });
    job.slots = slots;
    if (isFull) job.blockedUntil = performance.now() + BLOCKED_MS;
    this.jobs.set(jobId, job);
  }

  /** A further attempt of a task may cost as much again. */
  reserve({ jobId, taskIndex }: TaskRef, most: number): void {
    const line = this.jobs.get(jobId)?.lines.get(taskIndex);
    if (line !== undefined) line.most += most;
  }

  mostOf({ jobId, taskIndex }: TaskRef): number {
    return this.jobs.get(jobId)?.lines.get(taskIndex)?.most ?? 0;
  }

  /** @returns whether the job's share has become smaller, which other processes have to know */
  end({ jobId, taskIndex }: TaskRef): boolean {
    const job = this.jobs.get(jobId);
    if (job === undefined || !job.lines.delete(taskIndex)) return false;
    job.blockedUntil = 0;
    if (!job.isShared && job.lines.size === 0) this.jobs.delete(jobId);
    return job.isShared;
  }

  forget(jobId: string): void {
    this.jobs.delete(jobId);
  }
}
