import { Injectable } from '@nestjs/common';
import { EntityManager } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { parseExact } from '../../runtime/exact-integers.js';
import { markDuplicates } from '../duplicates.js';
import type { NewJob } from '../submission/new-job.js';
import type { TaskSpool } from '../submission/task-spool.js';
import type { NewTask } from '../submission/submission-store.js';
import { LineSizes, type SizedJob } from './line-sizes.js';

/** Milliseconds of estimating after which it yields to the event loop. */
const SLICE_MS = 8;

/** The code of a batch that has more tokens than its key may have enqueued. */
export const BATCH_TOKENS_EXCEEDED = 'batch_tokens_exceeded';

/** The tokens of a job, and the accounts in whose `batch_tokens` they have to fit. */
export interface EnqueuedTokens {
  readonly tokens: number;
  readonly accounts: readonly { readonly id: string; readonly limit: number; readonly owner: string }[];
}

/** The tokens of batches that keys and groups may have enqueued at once, apart from the limits of live requests. */
@Injectable()
export class BatchAllowances {
  constructor(
    private readonly database: Database,
    private readonly sizes: LineSizes,
  ) {}

  /** Estimates a job, if an account of its key has an allowance; undefined if none has. */
  async of(job: NewJob, spool: TaskSpool, principal: Principal): Promise<EnqueuedTokens | undefined> {
    const accounts = this.accountsOf(principal);
    return accounts.length === 0 ? undefined : { accounts, tokens: await this.tokensOf(job, spool, principal) };
  }

  /** The accounts of a key that have an allowance, in the order in which they are locked. */
  accountsOf(principal: Principal): EnqueuedTokens['accounts'] {
    const accounts = principal.accounts.flatMap(({ id, limits }) => {
      const limit = limits?.batch_tokens;
      return limit === undefined ? [] : [{ id, limit, owner: ownerOf(id, principal) }];
    });
    return accounts.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The tokens of one task: its prompt and its longest response. */
  async tokensOfTask(
    { request, operation = 'chat', dialect = null }: NewTask,
    owner: SizedJob,
    { keyId }: Pick<Principal, 'keyId'>,
  ): Promise<number> {
    const task = { operation, dialect, request: parseExact(request) as Record<string, unknown> };
    return (await this.sizes.of(task, owner, { keyId }, false)).tokens;
  }

  /** Counts the tokens of a job that becomes visible in the same transaction. @throws GatewayError 429 that says how much is free */
  async reserve(manager: EntityManager, jobId: string, { accounts, tokens }: EnqueuedTokens): Promise<void> {
    const { dialect } = this.database;
    for (const { id, limit, owner } of accounts) {
      // Two submissions at the same moment do not both see the same free tokens.
      if (!dialect.isSqlite) {
        await runSql(manager, dialect, 'SELECT pg_advisory_xact_lock(hashtext($1))', [`batch_tokens ${id}`]);
      }
      await runSql(
        manager,
        dialect,
        `DELETE FROM batch_enqueued WHERE account_id = $1 AND NOT EXISTS (SELECT 1 FROM batch_job j
           WHERE j.id = batch_enqueued.job_id AND j.status IN ('queued', 'in_progress', 'cancelling'))`,
        [id],
      );
      const { rows } = await runSql<{ tokens: string | number | null }>(
        manager,
        dialect,
        `SELECT SUM(e.tokens * 1.0 * (j.task_count - j.completed_count - j.failed_count - j.cancelled_count - j.expired_count)
           / j.task_count) AS tokens FROM batch_enqueued e JOIN batch_job j ON j.id = e.job_id WHERE e.account_id = $1`,
        [id],
      );
      const free = Math.max(0, limit - Math.ceil(Number(rows[0]?.tokens ?? 0)));
      if (tokens > free) throw beyondAllowance(owner, { limit, free, tokens });
      await runSql(manager, dialect, 'INSERT INTO batch_enqueued (account_id, job_id, tokens) VALUES ($1, $2, $3)', [
        id,
        jobId,
        tokens,
      ]);
    }
  }

  private async tokensOf(job: NewJob, spool: TaskSpool, principal: Principal): Promise<number> {
    const owner = { model: job.model, defaults: (job.defaults ?? {}) as Record<string, unknown> };
    let sum = 0;
    let sliceEnd = performance.now() + SLICE_MS;
    for (const group of job.options?.dedupe === true ? markDuplicates(spool.groups()) : spool.groups()) {
      for (const task of group) {
        if (task.sameAs !== undefined) continue;
        sum += await this.tokensOfTask(task, owner, principal);
        if (performance.now() < sliceEnd) continue;
        await new Promise(setImmediate);
        sliceEnd = performance.now() + SLICE_MS;
      }
    }
    return sum;
  }
}

function ownerOf(id: string, { keyId, groupId }: Principal): string {
  if (id === keyId) return 'This key';
  return id === groupId ? 'The group of this key' : 'A key or group above this key';
}

function beyondAllowance(
  owner: string,
  { limit, free, tokens }: { limit: number; free: number; tokens: number },
): GatewayError {
  const advice = tokens > limit ? 'Split the batch.' : 'Submit it again when other batches have ended, or split it.';
  return new GatewayError({
    status: 429,
    type: 'rate_limit_error',
    code: BATCH_TOKENS_EXCEEDED,
    message: `${owner} may have ${limit} tokens of batches enqueued. ${free} are free, and this batch has ${tokens}, prompts and longest responses. ${advice}`,
    param: 'tasks',
  });
}
