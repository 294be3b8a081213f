import { Injectable } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { databaseUnavailable } from '../../errors/database-error.js';
import { markDuplicates } from '../duplicates.js';
import { ownModel } from './own-model.js';
import { PrefixOrder } from './prefix-order.js';
import { BatchJob } from '../batch-job.entity.js';
import { Lanes } from '../lanes.js';
import { refreshTaskStatistics } from './task-statistics.js';

/** Groups of tasks that go into one transaction. */
const GROUPS_PER_TRANSACTION = 4;

/** A task as it is inserted. */
export interface NewTask {
  readonly customId: string;
  /** Default: chat. */
  readonly operation?: string;
  /** The wire format, where it is not the operation's own. */
  readonly dialect?: string | null;
  /** JSON text. */
  readonly request: string;
  /** The model that it names, where that is known. */
  readonly model?: string;
  /** The index of an identical task of the job, whose result it gets. */
  readonly sameAs?: number;
}

/** Stores submissions. */
@Injectable()
export class SubmissionStore {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly lanes: Lanes,
  ) {}

  /**
   * Stores a job and all its tasks, atomically as seen by readers. The tasks are inserted in small transactions under a job that
   * is still `staging`, and one statement at the end makes the job visible: a single transaction of 50,000 tasks would hold
   * SQLite's write lock for a second and its event loop for 100 ms at the commit.
   *
   * @param reserve counts the job where it may be refused, when it becomes visible
   * @returns the earlier job of the same key with this job's idempotency key, if there is one; nothing is stored then
   */
  async insertJob(
    job: BatchJob,
    groups: Iterable<readonly NewTask[]>,
    idempotencyWindow: number,
    reserve?: (manager: EntityManager) => Promise<void>,
  ): Promise<BatchJob | undefined> {
    const { dedupe: hasDuplicates = false, order } = job.options ?? {};
    const prefixOrder = order === 'prefix' ? new PrefixOrder(job.model) : undefined;
    const staging = { ...job, status: 'staging' as const, idempotencyKey: null };
    await this.database.transaction((manager) => manager.insert(BatchJob, staging));
    let index = 0;
    let batch: (readonly NewTask[])[] = [];
    const insert = async (): Promise<void> => {
      await this.database.transaction(async (manager) => {
        for (const group of batch) {
          await this.insertTasks(manager, job, index, group);
          index += group.length;
          await new Promise(setImmediate);
        }
      });
      batch = [];
    };
    for (const group of hasDuplicates ? markDuplicates(groups) : groups) {
      prefixOrder?.add(group);
      batch.push(group);
      if (batch.length === GROUPS_PER_TRANSACTION) await insert();
    }
    if (batch.length > 0) await insert();
    await refreshTaskStatistics(this.database, index);
    for (const tasks of prefixOrder?.groups() ?? []) {
      await this.database.transaction((manager) => this.lanes.enqueueInOrder(manager, job.id, tasks));
      await new Promise(setImmediate);
    }
    try {
      return await this.database.transaction((manager) => this.publish(manager, job, idempotencyWindow, reserve));
    } catch (error) {
      // Two submissions with one idempotency key at the same moment: the database accepted one.
      const earlier = await this.jobOf(job).catch(() => null);
      if (earlier === null) throw error;
      return earlier;
    }
  }

  private async publish(
    manager: EntityManager,
    job: BatchJob,
    window: number,
    reserve: ((manager: EntityManager) => Promise<void>) | undefined,
  ): Promise<BatchJob | undefined> {
    const { id, keyId, idempotencyKey, submittedAt } = job;
    if (idempotencyKey !== null) {
      const known = await manager.findOneBy(BatchJob, { keyId, idempotencyKey });
      if (known !== null && submittedAt - known.submittedAt < window) return known;
      if (known !== null) await manager.update(BatchJob, { id: known.id }, { idempotencyKey: null });
    }
    const { affected } = await manager.update(
      BatchJob,
      { id, status: 'staging' },
      { status: 'queued', idempotencyKey },
    );
    if (affected === 1) {
      await reserve?.(manager);
      await this.lanes.open(manager, id, job.options?.order === 'prefix');
      return undefined;
    }
    const message = 'The batch took too long to store, and nothing of it was kept. Retry shortly.';
    throw databaseUnavailable(undefined, message, 5);
  }

  private async jobOf({ keyId, idempotencyKey }: BatchJob): Promise<BatchJob | null> {
    if (idempotencyKey === null) return null;
    return this.dataSource.manager.findOneBy(BatchJob, { keyId, idempotencyKey });
  }

  /** Stores tasks of a job that is `staging`. */
  async insertTasks(
    manager: EntityManager,
    job: BatchJob,
    firstIndex: number,
    tasks: readonly NewTask[],
  ): Promise<void> {
    const { dialect } = this.database;
    const rows = tasks.map(
      ({ customId, operation = 'chat', dialect = null, request, model, sameAs = null }, offset) => [
        firstIndex + offset,
        customId,
        request,
        model === undefined ? ownModel(request, job.model) : model === job.model ? null : model,
        operation,
        dialect,
        sameAs,
      ],
    );
    await runSql(
      manager,
      dialect,
      dialect.isSqlite
        ? `INSERT INTO batch_task (job_id, task_index, custom_id, request, model, operation, dialect, same_as)
           SELECT $1, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 FROM json_each($2)`
        : `INSERT INTO batch_task (job_id, task_index, custom_id, request, model, operation, dialect, same_as)
           SELECT $1, CAST(value->>0 AS INT), value->>1, value->>2, value->>3, value->>4, value->>5, CAST(value->>6 AS INT)
           FROM json_array_elements(CAST($2 AS JSON))`,
      [job.id, JSON.stringify(rows)],
    );
    if (job.options?.order !== 'prefix' && rows.some((row) => row[3] !== null)) {
      await this.lanes.requeueOwnModels(manager, job.id, firstIndex, firstIndex + tasks.length);
    }
  }
}
