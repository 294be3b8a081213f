import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { BatchJob } from '../batch-job.entity.js';
import type { BatchSubmittedDto } from '../batch.dto.js';
import { submittedOf } from '../job-summary.js';
import { Submissions } from '../submission/submissions.service.js';
import { TaskSpool } from '../submission/task-spool.js';
import type { JobOptionsDto } from './job-options.dto.js';
import { NewJobOptions } from './new-job-options.js';
import { RETRIED_STATUSES, type RetriedStatus, type RetryBatchDto } from './retry-batch.dto.js';

const ROWS_PER_QUERY = 250;
const DEFAULT_STATUSES: readonly RetriedStatus[] = ['failed', 'expired'];
/** Characters of a custom_id that an error repeats. */
const MAX_SHOWN_CHARACTERS = 64;

interface TaskRow {
  task_index: number;
  custom_id: string;
  operation: string;
  dialect: string | null;
  request: string;
  model: string | null;
}

/** Runs tasks of a job again, as a new job that refers to it. The old job and its results stay as they are. */
@Injectable()
export class Retries {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly submissions: Submissions,
    private readonly options: NewJobOptions,
  ) {}

  /** @throws GatewayError 400 when no task is to run, or an id is unknown */
  async retry(
    old: BatchJob,
    fields: RetryBatchDto,
    { principal, idempotencyKey }: { principal: Principal; idempotencyKey: string | undefined },
  ): Promise<BatchSubmittedDto> {
    const spool = new TaskSpool(this.submissions.directory);
    try {
      const models = await this.collect(old, fields, spool);
      this.submissions.assertModels(
        [...models].map((model) => [model, 'model'] as const),
        principal,
      );
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as JobOptionsDto;
      const { not_before: _passed, retry_of: _first, ...kept } = old.options ?? {};
      const options = await this.options.of(
        { ...(kept as JobOptionsDto), ...given },
        { models, expiresInSeconds: fields.expires_in, retryOf: old.id },
      );
      const { model, endpoint, defaults, headers, metadata, priority } = old;
      // A batch of OpenAI's API is one of an input file, which the new job does not have.
      const api = old.api === 'messages' ? old.api : null;
      const job = {
        ...{ api, model, endpoint, defaults, headers, metadata, priority },
        ...(fields.expires_in != null && { expiresInSeconds: fields.expires_in }),
        ...options,
      };
      const hash = null;
      const stored = await this.submissions.store(job, spool, { principal, idempotencyKey, hash });
      return submittedOf(stored.job);
    } finally {
      spool.dispose();
    }
  }

  /** @returns the models of the tasks */
  private async collect(
    old: BatchJob,
    { statuses, custom_ids: customIds }: RetryBatchDto,
    spool: TaskSpool,
  ): Promise<Set<string>> {
    const wanted = statuses ?? (customIds == null ? DEFAULT_STATUSES : RETRIED_STATUSES);
    const missing = customIds == null ? undefined : new Set(customIds);
    const models = new Set<string>();
    const list = wanted.map((status) => `'${status}'`).join(', ');
    for (let after = -1; ;) {
      const { rows } = await runSql<TaskRow>(
        this.dataSource.manager,
        this.database.dialect,
        `SELECT task_index, custom_id, operation, dialect, request, model FROM batch_task
         WHERE job_id = $1 AND task_index > $2 AND status IN (${list}) ORDER BY task_index LIMIT ${ROWS_PER_QUERY}`,
        [old.id, after],
      );
      for (const { custom_id: customId, operation, dialect, request, model } of rows) {
        if (missing !== undefined && !missing.delete(customId)) continue;
        models.add(model ?? old.model);
        spool.add({ customId, operation, dialect, request });
      }
      if (rows.length < ROWS_PER_QUERY) break;
      after = rows.at(-1)?.task_index ?? after;
      await new Promise(setImmediate);
    }
    const [unknown] = missing ?? [];
    if (unknown !== undefined) {
      const shown = unknown.slice(0, MAX_SHOWN_CHARACTERS);
      throw invalidRequest(
        `'custom_ids' names '${shown}', which is no task of this batch that has ended as ${wanted.join(' or ')}.`,
        'custom_ids',
      );
    }
    if (spool.count === 0) {
      throw invalidRequest(
        `No task of this batch has ended as ${wanted.join(' or ')}, so there is nothing to retry.`,
        'statuses',
      );
    }
    return models;
  }
}
