import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';

/** Milliseconds for which the queue depth is cached. */
const DEPTH_TTL_MS = 1_000;

/** The number of queued and running tasks of all jobs. */
export interface Depth {
  readonly queued: number;
  readonly running: number;
  /** Milliseconds for which a job with tasks to run has had no slot, at most. */
  readonly oldestWaiting: number;
}

/** How much work waits and runs, for operators and metrics. */
@Injectable()
export class QueueDepth {
  private known: { readonly depth: Promise<Depth>; readonly until: number } | undefined;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {}

  /** Sums of lanes and claims, never of tasks; cached briefly. */
  async read(): Promise<Depth> {
    const now = performance.now();
    if (this.known === undefined || now >= this.known.until) {
      const depth = this.sum();
      this.known = { depth, until: now + DEPTH_TTL_MS };
      depth.catch(() => (this.known = undefined));
    }
    return this.known.depth;
  }

  private async sum(): Promise<Depth> {
    const { dialect } = this.database;
    const { rows } = await runSql<{ queued: string | null; running: string | null; oldest: string | null }>(
      this.dataSource.manager,
      dialect,
      `SELECT (SELECT SUM(end_index - next_index + requeued) FROM batch_lane) AS queued,
         (SELECT SUM(task_count) FROM batch_claim) AS running,
         (SELECT ${dialect.now} - MIN(served_at) FROM batch_lane WHERE state = 'ready') AS oldest`,
    );
    const { queued, running, oldest } = rows[0] ?? {};
    return {
      queued: Number(queued ?? 0),
      running: Number(running ?? 0),
      oldestWaiting: Math.max(0, Number(oldest ?? 0)),
    };
  }
}
