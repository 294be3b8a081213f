import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Request } from 'express';
import { In, Repository } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { Database } from '../../database/database.js';
import { GatewayError, invalidRequest, notFound } from '../../errors/gateway-error.js';
import { FilesService } from '../../files/files.service.js';
import { DEFAULT_PAGE_ENTRIES, type PageQueryDto } from '../../http/page-query.dto.js';
import type { StoredFile } from '../../files/stored-file.entity.js';
import { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { formatHeaders } from '../../model-endpoint/upstream-headers.js';
import { timeOfId, timeOrderedId } from '../../runtime/random-id.js';
import { BatchJob } from '../batch-job.entity.js';
import { BatchService } from '../batch.service.js';
import { NewJobOptions } from '../control/new-job-options.js';
import { deleteTasks } from '../delete-job.js';
import { Lanes } from '../lanes.js';
import { MAX_EXPIRY_SECONDS, MIN_EXPIRY_SECONDS, newJob } from '../submission/new-job.js';
import { checkedIdempotencyKey, IDEMPOTENCY_WINDOW_MS, sameOr409 } from '../submission/idempotency.js';
import { FileBatchWorker } from './file-batch-worker.js';
import { FileBatch } from './file-batch.entity.js';
import { fileBatchOf, windowSeconds } from './file-batch-form.js';
import type { CreateFileBatchDto, FileBatchDto, FileBatchListDto } from './file-batches.dto.js';

/** OpenAI's Batch API. Each batch is a job of the batch engine whose tasks are the lines of a file. */
@Injectable()
export class FileBatchesService {
  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    @InjectRepository(FileBatch) private readonly batches: Repository<FileBatch>,
    private readonly database: Database,
    private readonly files: FilesService,
    private readonly endpoints: JsonEndpoints,
    private readonly jobsOfKeys: BatchService,
    private readonly lanes: Lanes,
    private readonly worker: FileBatchWorker,
    private readonly options: NewJobOptions,
  ) {}

  /** Stores a batch whose file is yet to be read. */
  async create(body: CreateFileBatchDto, principal: Principal, request: Request): Promise<FileBatchDto> {
    const { endpoint: path, completion_window: window, input_file_id: inputFileId } = body;
    if (this.endpoints.at(path)?.path !== path) {
      const paths = this.endpoints.paths.join(', ');
      throw invalidRequest(`'endpoint' must be one of ${paths}.`, 'endpoint');
    }
    const expiresInSeconds = windowSeconds(window);
    if (expiresInSeconds < MIN_EXPIRY_SECONDS || expiresInSeconds > MAX_EXPIRY_SECONDS) {
      throw invalidRequest("'completion_window' must be from 10s to 30d.", 'completion_window');
    }
    const idempotencyKey = checkedIdempotencyKey(request.get('idempotency-key'));
    const requestHash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    await this.assertInput(inputFileId, principal);
    const job: BatchJob = {
      ...newJob({
        api: 'batches',
        model: '',
        endpoint: path,
        headers: formatHeaders(request.headers),
        metadata: body.metadata ?? null,
        pricing: body.pricing ?? null,
        // The models are not known before the file is read.
        ...(await this.options.of(body, { models: [], expiresInSeconds })),
        expiresInSeconds,
        keyId: principal.keyId,
        taskCount: 0,
        idempotencyKey: idempotencyKey ?? null,
        requestHash,
      }),
      status: 'staging',
    };
    const batch: FileBatch = {
      jobId: job.id,
      inputFileId,
      outputFileId: timeOrderedId('file-'),
      errorFileId: timeOrderedId('file-'),
      completionWindow: window,
      outputExpirySeconds: body.output_expires_after?.seconds ?? null,
      stage: 'import',
      worker: null,
      leaseUntil: 0,
      faults: null,
      usage: null,
      topError: null,
      importedAt: null,
      finishedAt: null,
    };
    const earlier = await this.insert(job, batch);
    if (earlier !== undefined) {
      sameOr409(earlier, requestHash);
      return this.retrieve(earlier.id, principal);
    }
    this.worker.wake();
    return fileBatchOf(job, batch);
  }

  async retrieve(id: string, principal: Principal): Promise<FileBatchDto> {
    const { job, batch } = await this.own(id, principal);
    if (job.completedAt !== null && batch.stage === 'run') this.worker.wake();
    return fileBatchOf(job, batch);
  }

  /** A page, newest first, of the key's batches that were made here. */
  async list({ limit = DEFAULT_PAGE_ENTRIES, after }: PageQueryDto, { keyId }: Principal): Promise<FileBatchListDto> {
    const query = this.jobs.createQueryBuilder('job').where(`job.keyId = :keyId AND job.api = 'batches'`, { keyId });
    if (after !== undefined) {
      const cursor = await query.clone().andWhere('job.id = :after', { after }).getOne();
      // A batch that has been deleted keeps its place in the list.
      const time = cursor?.submittedAt ?? timeOfId(after);
      if (time === undefined) {
        throw invalidRequest("'after' is no batch's id. Send the `last_id` of the page before.", 'after');
      }
      query.andWhere('(job.submittedAt < :time OR (job.submittedAt = :time AND job.id < :after))', {
        time,
        after,
      });
    }
    const found = await query
      .orderBy('job.submittedAt', 'DESC')
      .addOrderBy('job.id', 'DESC')
      .limit(limit + 1)
      .getMany();
    const jobs = found.slice(0, limit);
    const batches = await this.batches.findBy({ jobId: In(jobs.map(({ id }) => id)) });
    const perJob = new Map(batches.map((batch) => [batch.jobId, batch]));
    const data = jobs.flatMap((job) => {
      const batch = perJob.get(job.id);
      return batch === undefined ? [] : [fileBatchOf(job, batch)];
    });
    return {
      object: 'list',
      data,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: found.length > limit,
    };
  }

  /** Ends a batch: no further request starts, running ones are aborted. One that has ended is not changed. */
  async cancel(id: string, principal: Principal): Promise<FileBatchDto> {
    const { job, batch } = await this.own(id, principal);
    const isImport = batch.stage === 'import' && (await this.cancelImport(job));
    if (!isImport) await this.jobsOfKeys.end(job.id);
    return this.retrieve(id, principal);
  }

  /** @returns whether the file was still being read */
  private async cancelImport(job: BatchJob): Promise<boolean> {
    const now = Date.now();
    const isCancelled = await this.database.transaction(async (manager) => {
      const { affected } = await manager.update(
        FileBatch,
        { jobId: job.id, stage: 'import' },
        { stage: 'done', finishedAt: now },
      );
      if (affected !== 1) return false;
      const change = { status: 'cancelled' as const, completedAt: now, cancelRequestedAt: now };
      await manager.update(BatchJob, { id: job.id }, change);
      return true;
    });
    // An import stores nothing more; what it has stored belongs to no job that runs.
    if (isCancelled) await deleteTasks(this.database, this.lanes, job.id);
    return isCancelled;
  }

  private async assertInput(id: string, principal: Principal): Promise<StoredFile> {
    try {
      const file = await this.files.own(id, principal);
      if (file.purpose === 'batch') return file;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status !== 404) throw error;
      throw notFound(`There is no file '${id}'.`, 'not_found', 'input_file_id');
    }
    throw invalidRequest(`The purpose of the file '${id}' must be batch.`, 'input_file_id');
  }

  /** @returns the earlier job with the same idempotency key, if there is one; nothing is stored then */
  private async insert(job: BatchJob, batch: FileBatch): Promise<BatchJob | undefined> {
    const { keyId, idempotencyKey, submittedAt } = job;
    const find = (): Promise<BatchJob | null> =>
      idempotencyKey === null ? Promise.resolve(null) : this.jobs.findOneBy({ keyId, idempotencyKey });
    const known = await find();
    if (known !== null && submittedAt - known.submittedAt < IDEMPOTENCY_WINDOW_MS) return known;
    try {
      await this.database.transaction(async (manager) => {
        if (known !== null) await manager.update(BatchJob, { id: known.id }, { idempotencyKey: null });
        await manager.insert(BatchJob, job);
        await manager.insert(FileBatch, batch);
      });
      return undefined;
    } catch (error) {
      // Two requests with one idempotency key at the same moment: the database accepted one.
      const earlier = await find().catch(() => null);
      if (earlier === null) throw error;
      return earlier;
    }
  }

  /** @throws GatewayError 404 for an unknown id, one of another key, and one of another API */
  private async own(id: string, { keyId }: Principal): Promise<{ job: BatchJob; batch: FileBatch }> {
    const job = await this.jobs.findOneBy({ id, keyId, api: 'batches' });
    const batch = job === null ? null : await this.batches.findOneBy({ jobId: id });
    if (job !== null && batch !== null) return { job, batch };
    throw notFound(`There is no batch '${id.slice(0, 64)}'.`, 'not_found', 'batch_id');
  }
}
