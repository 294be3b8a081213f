import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql, SqlDialect } from '../database/sql.js';
import { JOB_PRIORITIES, type JobPriority } from './batch-job.entity.js';
import { keyOfGroup } from './lanes.js';

/** A lane that has tasks to run now. */
export interface ReadyLane {
  readonly jobId: string;
  readonly model: string;
  readonly keyId: string;
  readonly group: string;
  readonly priority: JobPriority;
  /** Tasks that wait in it, including those that may run later; at most as many as one claim may take. */
  readonly waiting: number;
}

/** Finds the lanes that have tasks to run now, at a cost that does not grow with the number of waiting tasks. */
@Injectable()
export class ReadyLanes {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {
    this.dialect = database.dialect;
  }

  /** Whether any task may run now. What waits for its time costs no further query: `wakeDelayed` finds it by an index. */
  async hasAny(): Promise<boolean> {
    const { rows } = await this.read(`SELECT 1 AS one FROM batch_lane WHERE state = 'ready' LIMIT 1`);
    return rows.length > 0;
  }

  /** Groups that have a ready lane, in the order of their names, starting after `after`. Reads one index entry per group. */
  async groups(after: string, limit: number): Promise<readonly string[]> {
    const { rows } = await this.read<{ name: string }>(this.groupsStatement(), [after, limit]);
    return rows.map(({ name }) => name);
  }

  groupsStatement(): string {
    return `WITH RECURSIVE found(name, number) AS (
       SELECT (SELECT MIN(lane_group) FROM batch_lane WHERE state = 'ready' AND lane_group > $1), 1
       UNION ALL
       SELECT (SELECT MIN(l.lane_group) FROM batch_lane l WHERE l.state = 'ready' AND l.lane_group > found.name),
         found.number + 1
       FROM found WHERE found.name IS NOT NULL AND found.number < $2)
     SELECT name FROM found WHERE name IS NOT NULL`;
  }

  /** The first lanes of each group: by priority, then the oldest. */
  async ready(groups: readonly string[], perGroup: number): Promise<readonly ReadyLane[]> {
    if (groups.length === 0) return [];
    const { rows } = await this.read<{
      job_id: string;
      model: string;
      lane_group: string;
      priority: number;
      submitted_at: string | number;
      max_claim: number | null;
      waiting: number;
    }>(this.readyStatement(), [JSON.stringify(groups), perGroup]);
    const sorted = [...rows].sort((a, b) => a.priority - b.priority || Number(a.submitted_at) - Number(b.submitted_at));
    return sorted.map((row) => ({
      jobId: row.job_id,
      model: row.model,
      keyId: keyOfGroup(row.lane_group),
      group: row.lane_group,
      priority: JOB_PRIORITIES[row.priority] ?? 'normal',
      waiting: Math.min(row.waiting, row.max_claim ?? Infinity),
    }));
  }

  readyStatement(): string {
    const { now, isSqlite } = this.dialect;
    const columns =
      'job_id, model, lane_group, priority, submitted_at, max_claim, end_index - next_index + requeued AS waiting';
    const first = (column: string, group: string): string =>
      `SELECT ${column} FROM batch_lane WHERE state = 'ready' AND lane_group = ${group} AND expires_at > ${now}
       ORDER BY priority, submitted_at LIMIT $2`;
    return isSqlite
      ? `SELECT ${columns} FROM json_each($1) g CROSS JOIN batch_lane l ON l.rowid IN (${first('rowid', 'g.value')})`
      : `SELECT l.* FROM json_array_elements_text(CAST($1 AS JSON)) g(name) CROSS JOIN LATERAL (${first(columns, 'g.name')}) l`;
  }

  /** Makes lanes ready whose first task may run by now. */
  async wakeDelayed(): Promise<void> {
    const due = `state = 'delayed' AND ready_at <= ${this.dialect.now}`;
    const { rows } = await this.read(`SELECT 1 AS one FROM batch_lane WHERE ${due} LIMIT 1`);
    if (rows.length === 0) return;
    const lock = this.dialect.isSqlite ? '' : 'ORDER BY job_id, model FOR UPDATE SKIP LOCKED';
    await this.database.transaction((manager) =>
      runSql(
        manager,
        this.dialect,
        `UPDATE batch_lane SET state = 'ready' WHERE ${due} AND (job_id, model) IN
           (SELECT job_id, model FROM batch_lane WHERE ${due} ${lock})`,
      ),
    );
  }

  private read<Row>(statement: string, parameters: readonly unknown[] = []): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }
}
