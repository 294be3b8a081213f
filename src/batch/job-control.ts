import { Injectable } from '@nestjs/common';
import { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql, SqlDialect } from '../database/sql.js';
import type { JobPriority } from './batch-job.entity.js';
import { Lanes } from './lanes.js';

/** Writes a related record, such as an audit entry, in the transaction of the change. */
export type NoteChange = (manager: EntityManager) => Promise<void>;

const IS_UNFINISHED = `status IN ('queued', 'in_progress')`;

/**
 * Cancels, pauses, resumes and re-prioritises jobs. Each change locks the job's row before its lanes, as all transactions do,
 * so that tasks requeued at the same time go into lanes of the new state.
 */
@Injectable()
export class JobControl {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly lanes: Lanes,
  ) {
    this.dialect = database.dialect;
  }

  /** Marks a job so that no further task of it is claimed. @returns whether it could still be cancelled */
  beginCancel(jobId: string, note?: NoteChange): Promise<boolean> {
    const change = `status = 'cancelling', paused_at = NULL, pause_source = NULL, cancel_requested_at = ${this.dialect.now}`;
    return this.change(jobId, {
      change,
      condition: 'true',
      note,
      lanes: (manager) => this.lanes.close(manager, jobId),
    });
  }

  /**
   * Excludes the job's lanes from claims. The pause of an operator replaces that of the job's key, which cannot end it then.
   *
   * @returns whether it was neither paused nor ended
   */
  pause(jobId: string, by: 'key' | 'operator', note?: NoteChange): Promise<boolean> {
    return this.change(jobId, {
      change: `paused_at = COALESCE(paused_at, ${this.dialect.now}), pause_source = ${by === 'key' ? `'key'` : 'NULL'}`,
      condition: by === 'key' ? 'paused_at IS NULL' : '(paused_at IS NULL OR pause_source IS NOT NULL)',
      note,
      lanes: (manager) => this.lanes.pause(manager, jobId),
    });
  }

  /** Allows claims from the job's lanes again. @returns whether it was paused, for a key by itself */
  resume(jobId: string, by: 'key' | 'operator', note?: NoteChange): Promise<boolean> {
    return this.change(jobId, {
      change: 'paused_at = NULL, pause_source = NULL',
      condition: by === 'key' ? `paused_at IS NOT NULL AND pause_source = 'key'` : 'paused_at IS NOT NULL',
      note,
      lanes: async (manager) => {
        await this.lanes.resume(manager, jobId);
        await this.lanes.hold(manager, jobId);
      },
    });
  }

  /** @returns whether the job had another priority and has not ended */
  prioritise(jobId: string, priority: JobPriority, note: NoteChange): Promise<boolean> {
    return this.change(jobId, {
      change: 'priority = $2',
      condition: 'priority <> $2',
      parameters: [priority],
      note,
      lanes: (manager) => this.lanes.prioritise(manager, jobId),
    });
  }

  private change(
    jobId: string,
    {
      change,
      condition,
      parameters = [],
      note,
      lanes,
    }: {
      change: string;
      condition: string;
      parameters?: readonly unknown[];
      note: NoteChange | undefined;
      lanes: NoteChange;
    },
  ): Promise<boolean> {
    return this.database.transaction(async (manager) => {
      const { affected } = await runSql(
        manager,
        this.dialect,
        `UPDATE batch_job SET ${change} WHERE id = $1 AND ${IS_UNFINISHED} AND ${condition}`,
        [jobId, ...parameters],
      );
      if (affected === 0) return false;
      await lanes(manager);
      await note?.(manager);
      return true;
    });
  }
}
