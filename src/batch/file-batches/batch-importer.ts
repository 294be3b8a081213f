import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import type { Principal } from '../../auth/principal.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { GatewayError, permissionDenied } from '../../errors/gateway-error.js';
import { StoredFile } from '../../files/stored-file.entity.js';
import { FilesService } from '../../files/files.service.js';
import { BackgroundThrottle } from '../../lifecycle/background-throttle.js';
import { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { BatchJob } from '../batch-job.entity.js';
import { BATCH_TOKENS_EXCEEDED, BatchAllowances, type EnqueuedTokens } from '../control/batch-allowances.js';
import { NewJobOptions } from '../control/new-job-options.js';
import { deleteTasks } from '../delete-job.js';
import { Lanes } from '../lanes.js';
import { BatchQueue } from '../queue/batch-queue.js';
import { DEFAULT_ENDPOINT } from '../submission/parse-task.js';
import { SubmissionStore } from '../submission/submission-store.js';
import { Submissions } from '../submission/submissions.service.js';
import { refreshTaskStatistics } from '../submission/task-statistics.js';
import { FileBatch } from './file-batch.entity.js';
import { FileBatchLeases, type WaitingStage } from './file-batch-leases.js';
import { FileFault, ImportRun } from './import-run.js';
import { readInputFile, type InputTask, type LineFault } from './input-file.js';

/**
 * Reads the lines of an input file into the tasks of a job that is `staging`, in small transactions, and opens the job with the last of
 * them. After a crash another process goes on behind the last stored task; each transaction extends the lease of the import, so that a
 * process which lost it stores nothing more.
 */
@Injectable()
export class BatchImporter {
  constructor(
    private readonly database: Database,
    private readonly leases: FileBatchLeases,
    private readonly files: FilesService,
    private readonly store: SubmissionStore,
    private readonly submissions: Submissions,
    private readonly options: NewJobOptions,
    private readonly allowances: BatchAllowances,
    private readonly keys: ApiKeyAuthenticator,
    private readonly endpoints: JsonEndpoints,
    private readonly lanes: Lanes,
    private readonly queue: BatchQueue,
    private readonly throttle: BackgroundThrottle,
    private readonly config: GatewayConfig,
  ) {}

  /** @throws LeaseLost, the reason of the signal, and what the storage or the database throws: the import is to be taken up again */
  async import(stage: WaitingStage, job: BatchJob, batch: FileBatch, signal: AbortSignal): Promise<void> {
    const principal = await this.keys.principalOf(job.keyId);
    const accounts = principal === null ? [] : this.allowances.accountsOf(principal);
    const run = new ImportRun(job, {
      stored: await this.storedTasks(job.id),
      maxOrdered: this.config.batch.maxTasks,
      insert: (tasks, firstIndex) => this.insert(stage, job, tasks, firstIndex),
      tokensOf:
        accounts.length === 0
          ? undefined
          : (task) => this.allowances.tokensOfTask(task, { model: job.model, defaults: {} }, job),
    });
    try {
      const faults = await this.read(stage, run, { batch, principal }, signal);
      if (faults.length > 0) {
        await this.refuse(stage, job, faults);
        return;
      }
      await run.flush();
      await refreshTaskStatistics(this.database, run.count);
      await this.sort(stage, run);
      await this.publish(stage, run, batch, accounts);
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      await this.refuse(stage, job, [error.fault]);
    }
  }

  private async refuse(stage: WaitingStage, job: BatchJob, faults: readonly LineFault[]): Promise<void> {
    await deleteTasks(this.database, this.lanes, job.id);
    await this.fail(stage, job, faults);
  }

  private async read(
    stage: WaitingStage,
    run: ImportRun,
    { batch, principal }: { batch: FileBatch; principal: Principal | null },
    signal: AbortSignal,
  ): Promise<readonly LineFault[]> {
    const { job } = run;
    const endpoint = this.endpoints.at(job.endpoint ?? DEFAULT_ENDPOINT);
    let heldUntil = performance.now() + this.config.batch.lease / 3;
    try {
      if (principal === null)
        throw permissionDenied('The key of the batch is not valid any more.', 'insufficient_scope');
      if (endpoint === undefined) throw new Error(`there is no endpoint '${job.endpoint}'`);
      const file = await this.files.own(batch.inputFileId, job);
      const faults = await readInputFile(this.files.content(file), {
        endpoint,
        maxLines: this.config.batch.maxFileLines,
        assertModel: (model) => this.submissions.assertModels([[model, 'body.model']], principal),
        take: (task) => run.add(task),
        onYield: async () => {
          signal.throwIfAborted();
          await this.throttle.yieldToEventLoop();
          if (performance.now() < heldUntil) return;
          heldUntil = performance.now() + this.config.batch.lease / 3;
          await this.database.transaction((manager) => this.leases.hold(manager, stage));
        },
      });
      if (faults.length === 0) await this.assertPriced(run);
      return faults;
    } catch (error) {
      // What will not change: the file or the key is gone.
      if (!(error instanceof GatewayError) || error.status >= 500) throw error;
      return [{ code: error.code ?? 'invalid_request', line: null, message: error.message, param: 'input_file_id' }];
    }
  }

  private async assertPriced({ job, models }: ImportRun): Promise<void> {
    try {
      await this.options.assertPriced(job.options, models);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      throw new FileFault({ code: 'model_unpriced', line: null, message: error.message, param: error.param });
    }
  }

  /** Stores the order in which the tasks start, where it is not that of the file. */
  private async sort(stage: WaitingStage, { job, prefixOrder }: ImportRun): Promise<void> {
    for (const tasks of prefixOrder?.groups() ?? []) {
      await this.database.transaction(async (manager) => {
        await this.leases.hold(manager, stage);
        await this.lanes.enqueueInOrder(manager, job.id, tasks);
      });
      await new Promise(setImmediate);
    }
  }

  /** Tasks are stored in their order, so that the last index says how many there are. */
  private async storedTasks(jobId: string): Promise<number> {
    const { dialect } = this.database;
    const { rows } = await this.database.transaction((manager) =>
      runSql<{ last: number | string | null }>(
        manager,
        dialect,
        'SELECT MAX(task_index) AS last FROM batch_task WHERE job_id = $1',
        [jobId],
      ),
    );
    const last = rows[0]?.last ?? null;
    return last === null ? 0 : Number(last) + 1;
  }

  private async insert(
    stage: WaitingStage,
    job: BatchJob,
    tasks: readonly InputTask[],
    firstIndex: number,
  ): Promise<void> {
    await this.database.transaction(async (manager) => {
      await this.leases.hold(manager, stage);
      if (firstIndex === 0) await manager.update(BatchJob, { id: job.id }, { model: job.model });
      await this.store.insertTasks(manager, job, firstIndex, tasks);
    });
  }

  private async publish(
    stage: WaitingStage,
    { job, count, tokens }: ImportRun,
    { outputFileId, errorFileId }: FileBatch,
    accounts: EnqueuedTokens['accounts'],
  ): Promise<void> {
    const now = Date.now();
    const fileOf = (id: string, name: string): StoredFile => ({
      id,
      keyId: job.keyId,
      purpose: 'batch_output',
      filename: `${job.id}_${name}.jsonl`,
      bytes: 0,
      createdAt: now,
      expiresAt: null,
      batchId: job.id,
    });
    await this.database.transaction(async (manager) => {
      await this.endStage(manager, stage, { stage: 'run', worker: null, leaseUntil: 0, importedAt: now });
      await manager.update(BatchJob, { id: job.id, status: 'staging' }, { status: 'queued', taskCount: count });
      if (accounts.length > 0) await this.reserve(manager, job.id, { accounts, tokens });
      await this.lanes.open(manager, job.id, job.options?.order === 'prefix');
      await manager.insert(StoredFile, [fileOf(outputFileId, 'output'), fileOf(errorFileId, 'error')]);
    });
    this.queue.notify(job.id);
  }

  /** @throws FileFault where the batch has more tokens than its key may have enqueued */
  private async reserve(manager: EntityManager, jobId: string, enqueued: EnqueuedTokens): Promise<void> {
    try {
      await this.allowances.reserve(manager, jobId, enqueued);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== BATCH_TOKENS_EXCEEDED) throw error;
      // OpenAI's code for the same.
      throw new FileFault({ code: 'token_limit_exceeded', line: null, message: error.message, param: null });
    }
  }

  private async fail(stage: WaitingStage, job: BatchJob, faults: readonly LineFault[]): Promise<void> {
    const now = Date.now();
    await this.database.transaction(async (manager) => {
      await this.endStage(manager, stage, { stage: 'done', faults, finishedAt: now });
      const [first] = faults;
      const where = first?.line == null ? '' : ` (line ${first.line})`;
      const error = `${first?.line == null ? 'The batch cannot run' : 'The input file is invalid'}: ${first?.message ?? ''}${where}`;
      await manager.update(BatchJob, { id: job.id }, { status: 'failed', error, completedAt: now });
    });
  }

  private async endStage(manager: EntityManager, stage: WaitingStage, change: Partial<FileBatch>): Promise<void> {
    await this.leases.hold(manager, stage);
    await manager.update(FileBatch, { jobId: stage.jobId }, change);
  }
}
