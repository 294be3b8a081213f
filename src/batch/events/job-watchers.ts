import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { describeError } from '../../errors/describe-error.js';
import { BatchJob } from '../batch-job.entity.js';
import { summaryOf } from '../job-summary.js';

/** Interval between two polls of the watched jobs. */
const POLL_INTERVAL_MS = 500;
/** Delay of a poll after a change in this process, so that several changes share it. */
const CHANGE_DELAY_MS = 50;
/** Jobs of one statement. */
const JOBS_PER_QUERY = 500;
const ENDED = new Set<string>(['completed', 'failed', 'cancelled', 'expired']);

/** The state of a watched job. */
export interface JobState {
  /** The BatchSummaryDto as JSON. */
  readonly json: string;
  readonly hasEnded: boolean;
}

/** Called at each change, perhaps more than once with the same state; with undefined once the job is deleted. */
export type JobListener = (state: JobState | undefined) => void;

interface WatchedJob {
  readonly listeners: Set<JobListener>;
  json: string;
}

/**
 * Polls all watched jobs with one statement, however many clients watch them, and notifies each listener of changes. A failed
 * poll is repeated; listeners stay.
 */
@Injectable()
export class JobWatchers {
  private readonly logger = new Logger('BatchEvents');
  private readonly watched = new Map<string, WatchedJob>();
  private timer: NodeJS.Timeout | undefined;
  private timerEndsAt = Infinity;
  private isLooking = false;
  private hasChanged = false;

  constructor(@InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>) {}

  /** How many jobs are watched. */
  get size(): number {
    return this.watched.size;
  }

  /**
   * Notifies `listener` of changes after `job`, as it was read, until the returned function is called.
   *
   * @returns the initial state, and a function that stops watching
   */
  watch(job: BatchJob, listener: JobListener): { state: JobState; stop: () => void } {
    const state = stateOf(job);
    let watched = this.watched.get(job.id);
    if (watched === undefined) {
      watched = { listeners: new Set(), json: state.json };
      this.watched.set(job.id, watched);
    } else if (watched.json !== state.json) {
      // One of the two is out of date: the next poll notifies all.
      watched.json = '';
    }
    const { listeners } = watched;
    listeners.add(listener);
    this.schedule(POLL_INTERVAL_MS);
    return {
      state,
      stop: () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.watched.get(job.id)?.listeners === listeners) this.watched.delete(job.id);
      },
    };
  }

  /** Polls soon, because this process has changed these jobs. */
  changed(jobIds: Iterable<string>): void {
    if (this.watched.size === 0) return;
    for (const id of jobIds) {
      if (!this.watched.has(id)) continue;
      this.hasChanged = this.isLooking;
      this.schedule(CHANGE_DELAY_MS);
      return;
    }
  }

  private schedule(delay: number): void {
    const endsAt = performance.now() + delay;
    if (this.isLooking || endsAt >= this.timerEndsAt) return;
    clearTimeout(this.timer);
    this.timerEndsAt = endsAt;
    this.timer = setTimeout(() => {
      this.timerEndsAt = Infinity;
      if (this.watched.size > 0) void this.look();
    }, delay).unref();
  }

  private async look(): Promise<void> {
    this.isLooking = true;
    this.hasChanged = false;
    try {
      const ids = [...this.watched.keys()];
      for (let start = 0; start < ids.length; start += JOBS_PER_QUERY) {
        await this.lookAt(ids.slice(start, start + JOBS_PER_QUERY));
      }
    } catch (error) {
      this.logger.debug({ msg: 'polling watched batches failed; trying again', error: describeError(error) });
    }
    this.isLooking = false;
    this.schedule(this.nextDelay());
  }

  private nextDelay(): number {
    return this.hasChanged ? CHANGE_DELAY_MS : POLL_INTERVAL_MS;
  }

  private async lookAt(ids: readonly string[]): Promise<void> {
    const found = new Map((await this.jobs.findBy({ id: In(ids) })).map((job) => [job.id, job]));
    for (const id of ids) {
      const watched = this.watched.get(id);
      if (watched === undefined) continue;
      const job = found.get(id);
      const state = job === undefined ? undefined : stateOf(job);
      if (state?.json === watched.json) continue;
      if (state !== undefined) watched.json = state.json;
      for (const listener of [...watched.listeners]) listener(state);
    }
  }
}

function stateOf(job: BatchJob): JobState {
  return { json: JSON.stringify(summaryOf(job)), hasEnded: ENDED.has(job.status) };
}
