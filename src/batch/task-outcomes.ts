import { Injectable } from '@nestjs/common';
import { EntityManager } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { recordsOf, SqlDialect } from '../database/sql.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import { UsageRecorder } from '../usage/records/usage-recorder.service.js';
import type { TaskStatus } from './batch-task.entity.js';
import { costsOf, countCost, countEnded, type EndedTask } from './job-counters.js';
import { copyToDuplicates } from './duplicates.js';
import { Lanes, type LaneTasks } from './lanes.js';
import { indexesOf, readLanes, storedLanes } from './stored-lanes.js';
import { extendedLease } from './task-claims.js';

/** The outcome of a claimed task. `queued` requeues it, to run again after `delayMs` milliseconds. */
export interface TaskOutcome {
  readonly claimId: string;
  readonly jobId: string;
  readonly taskIndex: number;
  /** The model in whose lane it waits when it is requeued. */
  readonly model: string;
  readonly status: Exclude<TaskStatus, 'running'>;
  readonly attempts: number;
  readonly delayMs: number;
  /** Whether the task did not start, so that it waits at its place again. */
  readonly isReleased?: true;
  /** JSON text. */
  readonly response: string | null;
  /** JSON text. */
  readonly error: string | null;
  /** The usage of its calls, stored with it. */
  readonly usage: readonly UsageRecord[];
  /** Whether tasks of the job may have the result of this one. */
  readonly hasDuplicates?: boolean;
  /** Of a job with `max_cost_usd`: what its calls cost, in billionths of a US dollar, and whether it ended because it may not cost more. */
  readonly limited?: { readonly spent: number; readonly isRefused: boolean };
}

/** The tasks that a claim still holds once outcomes are stored. */
export interface ClaimChange {
  readonly id: string;
  /** The row's version before the change. */
  readonly version: number;
  readonly lanes: readonly LaneTasks[];
}

/** The result of storing outcomes. */
export interface StoredOutcomes {
  readonly stored: ReadonlySet<TaskOutcome>;
  /** The claims that still exist. One that had changed before, unconfirmed, may still hold tasks of this set. */
  readonly claims: ReadonlyMap<string, { readonly version: number; readonly holds: ReadonlySet<string> }>;
}

/** Stores outcomes of tasks. All operations are idempotent. */
@Injectable()
export class TaskOutcomes {
  private readonly dialect: SqlDialect;
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly lanes: Lanes,
    private readonly recorder: UsageRecorder,
    config: GatewayConfig,
  ) {
    this.dialect = database.dialect;
    this.leaseMs = config.batch.lease;
  }

  /**
   * Stores outcomes, their usage records, the counters of their jobs, and the end of a job whose last task has ended, in one
   * transaction. An outcome is skipped if its claim no longer exists, another process holds it, or its task has already ended.
   */
  async store(
    outcomes: readonly TaskOutcome[],
    changes: readonly ClaimChange[],
    worker: string,
  ): Promise<StoredOutcomes> {
    return this.database.transaction(async (manager) => {
      const held = await this.changeClaims(manager, changes, worker);
      const candidates = outcomes.filter(({ claimId }) => held.has(claimId));
      const changed = await this.changeTasks(manager, candidates, worker);
      const stored = new Set(candidates.filter((outcome) => changed.has(taskKey(outcome))));
      await this.recorder.insert(
        manager,
        [...stored].flatMap(({ usage }) => usage),
      );
      const ended = [...stored].filter((outcome): outcome is TaskOutcome & EndedTask => outcome.status !== 'queued');
      const requeued = [...stored].filter(({ status }) => status === 'queued');
      const copies = await copyToDuplicates(
        manager,
        this.dialect,
        ended.filter(({ hasDuplicates }) => hasDuplicates),
      );
      await countEnded(
        manager,
        this.dialect,
        [...ended, ...copies],
        requeued.map(({ jobId }) => jobId),
        costsOf(stored),
      );
      await countCost(manager, this.dialect, [...stored]);
      await this.lanes.requeue(manager, requeued);
      const isAsExpected = changes.every(({ id }) => held.has(id));
      return { stored, claims: isAsExpected ? claimsAfter(changes) : await this.readClaims(manager, changes, worker) };
    });
  }

  /** @returns ids of the claims of this process whose row had the expected version */
  private async changeClaims(
    manager: EntityManager,
    changes: readonly ClaimChange[],
    worker: string,
  ): Promise<ReadonlySet<string>> {
    const rows = changes.map(({ id, version, lanes }) => ({
      id,
      version,
      tasks: storedLanes(lanes),
      task_count: lanes.reduce((sum, { indexes }) => sum + indexes.length, 0),
    }));
    rows.sort((a, b) => (a.id < b.id ? -1 : 1));
    const changed = recordsOf(this.dialect, '$1', 'id text, version int, tasks text, task_count int');
    const { rows: held } = await this.database.run<{ id: string }>(
      manager,
      `UPDATE batch_claim AS c SET tasks = r.tasks, task_count = r.task_count, version = c.version + 1,
         lease_until = ${extendedLease(this.dialect, this.leaseMs, 'c.')}
       FROM ${changed} WHERE c.id = r.id AND c.version = r.version AND c.worker = $2 RETURNING ${this.dialect.isSqlite ? 'id' : 'c.id'}`,
      [JSON.stringify(rows), worker],
    );
    const ids = new Set(held.map(({ id }) => id));
    const empty = rows.flatMap(({ id, task_count: count }) => (count === 0 && ids.has(id) ? [id] : []));
    if (empty.length > 0) {
      await this.database.run(manager, `DELETE FROM batch_claim WHERE id IN (${listOf(empty.length)})`, empty);
    }
    return ids;
  }

  private async readClaims(
    manager: EntityManager,
    changes: readonly ClaimChange[],
    worker: string,
  ): Promise<StoredOutcomes['claims']> {
    if (changes.length === 0) return new Map();
    const { rows } = await this.database.run<{ id: string; version: number; tasks: string }>(
      manager,
      `SELECT id, version, tasks FROM batch_claim WHERE id IN (${listOf(changes.length)}) AND worker = $${changes.length + 1}`,
      [...changes.map(({ id }) => id), worker],
    );
    return new Map(rows.map(({ id, version, tasks }) => [id, { version, holds: keysOf(readLanes(tasks)) }]));
  }

  /** @returns the keys of the tasks that had not ended */
  private async changeTasks(
    manager: EntityManager,
    outcomes: readonly TaskOutcome[],
    worker: string,
  ): Promise<ReadonlySet<string>> {
    if (outcomes.length === 0) return new Set();
    const rows = outcomes.map(({ jobId, taskIndex, status, attempts, response, error }) => ({
      job_id: jobId,
      task_index: taskIndex,
      status,
      attempts,
      response,
      error,
    }));
    const columns = 'job_id text, task_index int, status text, attempts int, response text, error text';
    const { rows: changed } = await this.database.run<{ job_id: string; task_index: number }>(
      manager,
      this.changeTasksStatement(columns),
      [JSON.stringify(rows), worker],
    );
    return new Set(changed.map(({ job_id, task_index }) => `${job_id}/${task_index}`));
  }

  changeTasksStatement(
    columns = 'job_id text, task_index int, status text, attempts int, response text, error text',
  ): string {
    return `UPDATE batch_task AS t SET status = r.status, attempts = r.attempts, response = r.response, error = r.error,
         finished_at = CASE WHEN r.status = 'queued' THEN NULL ELSE ${this.dialect.now} END, worker = $2
       FROM ${recordsOf(this.dialect, '$1', columns)}
       WHERE t.job_id = r.job_id AND t.task_index = r.task_index AND t.status = 'queued'
       RETURNING ${returnedOf(this.dialect, 'job_id, task_index')}`;
  }
}

/** Identifies a task within this process. */
export function taskKey({ jobId, taskIndex }: Pick<TaskOutcome, 'jobId' | 'taskIndex'>): string {
  return `${jobId}/${taskIndex}`;
}

/** The changed claims that exist in the expected version. */
function claimsAfter(changes: readonly ClaimChange[]): StoredOutcomes['claims'] {
  const left = changes.filter(({ lanes }) => lanes.some(({ indexes }) => indexes.length > 0));
  return new Map(left.map(({ id, version, lanes }) => [id, { version: version + 1, holds: keysOf(lanes) }]));
}

function keysOf(lanes: readonly LaneTasks[]): Set<string> {
  const keys = new Set<string>();
  for (const lane of lanes) {
    for (const [taskIndex] of indexesOf(lane)) keys.add(taskKey({ jobId: lane.jobId, taskIndex }));
  }
  return keys;
}

/** RETURNING of SQLite can refer to the changed table only; PostgreSQL's also to the FROM list. @param columns of the table `t` */
export function returnedOf({ isSqlite }: SqlDialect, columns: string): string {
  if (isSqlite) return columns;
  return columns
    .split(',')
    .map((column) => `t.${column.trim()}`)
    .join(', ');
}

/** Placeholders of parameters, from `$1` on. */
export function listOf(count: number): string {
  return Array.from({ length: count }, (_, index) => `$${index + 1}`).join(', ');
}
