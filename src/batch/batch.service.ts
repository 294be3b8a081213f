import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { mayCallModel } from '../auth/may-call-model.js';
import type { Principal } from '../auth/principal.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { newestFirst, Page } from '../database/newest-first.js';
import { GatewayError, invalidRequest, notFound, permissionDenied } from '../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES, PageQueryDto } from '../http/page-query.dto.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { formatHeaders } from '../model-endpoint/upstream-headers.js';
import { Routing } from '../routing/routing.service.js';
import { BatchJob } from './batch-job.entity.js';
import { BatchRunner } from './batch-runner.js';
import { BatchStore } from './batch-store.js';
import type { BatchListDto, BatchSubmittedDto, BatchSummaryDto } from './batch.dto.js';
import { JobWatchers } from './events/job-watchers.js';
import { JobControl, type NoteChange } from './job-control.js';
import { submittedOf, summaryOf } from './job-summary.js';
import { BatchQueue } from './queue/batch-queue.js';
import { DEFAULT_ENDPOINT } from './submission/parse-task.js';
import { readSubmission, type Submission } from './submission/submission-reader.js';
import { SubmissionStore } from './submission/submission-store.js';
import { webhookUrlFault } from '../webhooks/webhook-address.js';
import { makeWebhookSecret } from '../webhooks/webhook-signature.js';

const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const DEFAULT_EXPIRY_SECONDS = 86_400;

/** Accepts, shows and cancels jobs. Every query filters by key, so another key's job does not exist for the caller. */
@Injectable()
export class BatchService {
  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    private readonly submissions: SubmissionStore,
    private readonly store: BatchStore,
    private readonly control: JobControl,
    private readonly queue: BatchQueue,
    private readonly watchers: JobWatchers,
    private readonly runner: BatchRunner,
    private readonly routing: Routing,
    private readonly endpoints: JsonEndpoints,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * Reads, checks and stores a submission. When this resolves, the job and all its tasks are in the database; when it
   * rejects, nothing is.
   */
  async submit(
    request: IncomingMessage,
    principal: Principal,
    idempotencyKey: string | undefined,
  ): Promise<BatchSubmittedDto> {
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      throw invalidRequest(
        "The header 'Idempotency-Key' must be 1 to 255 visible ASCII characters.",
        'Idempotency-Key',
      );
    }
    const { maxBodySize, maxTasks } = this.config.batch;
    const directory = join(this.config.dataDirectory, 'spool');
    const submission = await readSubmission(request, { maxBodySize, maxTasks, directory }, this.endpoints);
    try {
      this.assertAllowed(submission, principal);
      const headers = formatHeaders(request.headers);
      const submitted = await this.insert(submission, principal, headers, idempotencyKey);
      this.queue.notify(submitted.job_id);
      return submitted;
    } finally {
      submission.spool.dispose();
    }
  }

  async list(principal: Principal, query: PageQueryDto): Promise<BatchListDto> {
    const { rows, ...page } = await this.page(query, principal);
    return { object: 'list', data: rows.map(summaryOf), ...page };
  }

  /** A job of the key. @throws GatewayError 404 as for an unknown id when it is another key's */
  async own(jobId: string, { keyId }: Principal): Promise<BatchJob> {
    const job = await this.jobs.findOneBy({ id: jobId, keyId });
    if (job === null || job.status === 'staging')
      throw notFound(`There is no batch '${jobId.slice(0, 64)}'.`, 'not_found', 'job_id');
    return job;
  }

  /** Ends a job of the key: no further task starts, running tasks are aborted. A finished job is not changed. */
  async cancel(jobId: string, principal: Principal): Promise<BatchSummaryDto> {
    const job = await this.own(jobId, principal);
    await this.end(job.id);
    return summaryOf(await this.own(jobId, principal));
  }

  /** Cancels any job. @param note writes a related record in the same transaction, if there is something to cancel */
  async end(jobId: string, note?: NoteChange): Promise<void> {
    if (!(await this.control.beginCancel(jobId, note))) return;
    this.runner.cancelHere(jobId);
    await this.store.endTasks(jobId, 'cancelled', { running: 'leave', error: null });
    this.watchers.changed([jobId]);
  }

  private assertAllowed({ fields, taskModels }: Submission, principal: Principal): void {
    const url = fields.webhook?.url;
    if (url !== undefined) {
      const fault = webhookUrlFault(url, this.config.webhooks.allowPrivate);
      if (fault !== undefined) throw invalidRequest(`'webhook.url' ${fault}.`, 'webhook.url');
    }
    for (const [model, path] of [[fields.model, 'model'] as const, ...taskModels]) {
      try {
        this.routing.resolve(model);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        throw notFound(error.message, 'model_not_found', path);
      }
      if (!mayCallModel(principal, model)) {
        throw permissionDenied(`This key may not call the model '${model}'.`, 'model_not_allowed', path);
      }
    }
  }

  private async insert(
    { fields, endpoint, spool, hash }: Submission,
    principal: Principal,
    headers: BatchJob['headers'],
    idempotencyKey: string | undefined,
  ): Promise<BatchSubmittedDto> {
    const id = `batch_${randomBytes(12).toString('hex')}`;
    const secret = fields.webhook == null ? null : (fields.webhook.secret ?? makeWebhookSecret());
    const now = Date.now();
    const job: BatchJob = {
      id,
      keyId: principal.keyId,
      model: fields.model,
      endpoint: endpoint === DEFAULT_ENDPOINT ? null : endpoint,
      defaults: defaultsOf(fields),
      headers,
      metadata: fields.batch_metadata ?? null,
      priority: fields.priority ?? 'normal',
      status: 'queued',
      taskCount: spool.count,
      completedCount: 0,
      failedCount: 0,
      cancelledCount: 0,
      expiredCount: 0,
      error: null,
      submittedAt: now,
      startedAt: null,
      completedAt: null,
      pausedAt: null,
      expiresAt: now + (fields.expires_in ?? DEFAULT_EXPIRY_SECONDS) * 1_000,
      idempotencyKey: idempotencyKey ?? null,
      requestHash: hash,
      webhookUrl: fields.webhook?.url ?? null,
      webhookSecret: secret,
      webhookAttempts: 0,
      webhookDueAt: null,
    };
    const earlier = await this.submissions.insertJob(job, spool.groups(), IDEMPOTENCY_WINDOW_MS);
    if (earlier !== undefined) return sameOr409(earlier, hash);
    return {
      ...submittedOf(job),
      ...(secret !== null && fields.webhook?.secret == null && { webhook_secret: secret }),
    };
  }

  private page({ limit = DEFAULT_PAGE_ENTRIES, after }: PageQueryDto, { keyId }: Principal): Promise<Page<BatchJob>> {
    const query = this.jobs
      .createQueryBuilder('job')
      .where(`job.status <> 'staging'`)
      .andWhere('job.keyId = :keyId', { keyId });
    return newestFirst(query, 'submittedAt', { limit, after, what: 'batch', idPrefix: 'batch_', owner: { keyId } });
  }
}

function defaultsOf({ max_tokens, temperature, top_p }: Submission['fields']): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ max_tokens, temperature, top_p }).filter(([, value]) => value !== undefined && value !== null),
  );
}

function sameOr409(job: BatchJob, hash: string): BatchSubmittedDto {
  if (job.requestHash === hash) return submittedOf(job);
  throw new GatewayError({
    status: 409,
    type: 'invalid_request_error',
    code: 'conflict',
    message: 'This Idempotency-Key was used within 24 hours with another body. Use a new key for a new batch.',
    param: 'Idempotency-Key',
  });
}
