import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Principal } from '../auth/principal.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { newestFirst, Page } from '../database/newest-first.js';
import { invalidRequest, notFound } from '../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES, PageQueryDto } from '../http/page-query.dto.js';
import { formatHeaders } from '../model-endpoint/upstream-headers.js';
import type { BatchGenerateDto } from './batch-generate.dto.js';
import { BatchJob } from './batch-job.entity.js';
import { BatchRunner } from './batch-runner.js';
import { BatchStore } from './batch-store.js';
import type { BatchListDto, BatchSubmittedDto, BatchSummaryDto } from './batch.dto.js';
import { JobWatchers } from './events/job-watchers.js';
import { JobControl, type NoteChange } from './job-control.js';
import { Estimates } from './control/estimates.service.js';
import type { BatchEstimateDto } from './control/estimate.dto.js';
import { Retries } from './control/retries.service.js';
import type { RetryBatchDto } from './control/retry-batch.dto.js';
import { NewJobOptions } from './control/new-job-options.js';
import { OutputBuckets } from './output/output-buckets.js';
import { BatchQueue } from './queue/batch-queue.js';
import { assertUnfinished, jobConflict } from './job-conflict.js';
import { submittedOf, summaryOf } from './job-summary.js';
import { JobPricings } from './native/job-pricings.js';
import type { NewJob } from './submission/new-job.js';
import { DEFAULT_ENDPOINT } from './submission/parse-task.js';
import { GENERATE_FORM } from './submission/submission-form.js';
import type { Submission } from './submission/submission-reader.js';
import { Submissions } from './submission/submissions.service.js';
import { webhookUrlFault } from '../webhooks/webhook-address.js';
import { makeWebhookSecret } from '../webhooks/webhook-signature.js';

/** Accepts, shows and cancels jobs. Every query filters by key, so another key's job does not exist for the caller. */
@Injectable()
export class BatchService {
  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    private readonly submissions: Submissions,
    private readonly store: BatchStore,
    private readonly control: JobControl,
    private readonly watchers: JobWatchers,
    private readonly runner: BatchRunner,
    private readonly options: NewJobOptions,
    private readonly estimates: Estimates,
    private readonly retries: Retries,
    private readonly queue: BatchQueue,
    private readonly pricings: JobPricings,
    private readonly buckets: OutputBuckets,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * Reads, checks and stores a submission. When this resolves, the job and all its tasks are in the database; when it
   * rejects, nothing is. With `dry_run` nothing is stored either.
   */
  async submit(
    request: IncomingMessage,
    principal: Principal,
    idempotencyKey: string | undefined,
  ): Promise<BatchSubmittedDto | BatchEstimateDto> {
    return this.submissions.reading(request, GENERATE_FORM, async (submission) => {
      const { fields, spool, hash } = submission;
      const described = await this.describe(submission, principal);
      if (fields.dry_run === true) return this.estimates.of({ job: described, spool }, principal);
      const job = { ...described, headers: formatHeaders(request.headers) };
      const stored = await this.submissions.store(job, spool, { principal, idempotencyKey, hash });
      const { webhookSecret: secret } = stored.job;
      const isGenerated = !stored.isEarlier && secret !== null && fields.webhook?.secret == null;
      return { ...submittedOf(stored.job), ...(isGenerated && { webhook_secret: secret }) };
    });
  }

  /** Reads and checks a submission, and estimates what it needs. */
  async estimate(request: IncomingMessage, principal: Principal): Promise<BatchEstimateDto> {
    return this.submissions.reading(request, GENERATE_FORM, async (submission) =>
      this.estimates.of({ job: await this.describe(submission, principal), spool: submission.spool }, principal),
    );
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

  /** Runs tasks of a job of the key again, as a new job. */
  async retry(jobId: string, fields: RetryBatchDto, principal: Principal): Promise<BatchSubmittedDto> {
    const job = await this.own(jobId, principal);
    return this.retries.retry(job, fields, { principal, idempotencyKey: undefined });
  }

  /** Lets no further task of a job of the key start until it is resumed; tasks in flight end. @throws GatewayError 409 when it has ended */
  async pause(jobId: string, principal: Principal): Promise<BatchSummaryDto> {
    assertUnfinished(await this.own(jobId, principal), 'paused');
    if (await this.control.pause(jobId, 'key')) {
      this.runner.pauseHere(jobId);
      this.watchers.changed([jobId]);
    }
    return summaryOf(await this.own(jobId, principal));
  }

  /** Ends the pause of a job by its key. @throws GatewayError 409 when an operator paused it, or when it has ended */
  async resume(jobId: string, principal: Principal): Promise<BatchSummaryDto> {
    const job = await this.own(jobId, principal);
    assertUnfinished(job, 'resumed');
    if (job.pausedAt !== null && job.pauseSource !== 'key') {
      throw jobConflict('An operator has paused this batch, and only an operator can resume it.');
    }
    if (await this.control.resume(jobId, 'key')) {
      this.queue.notify(jobId);
      this.watchers.changed([jobId]);
    }
    return summaryOf(await this.own(jobId, principal));
  }

  /** Cancels any job. @param note writes a related record in the same transaction, if there is something to cancel */
  async end(jobId: string, note?: NoteChange): Promise<void> {
    if (!(await this.control.beginCancel(jobId, note))) return;
    this.runner.cancelHere(jobId);
    await this.store.endTasks(jobId, 'cancelled', { running: 'leave', error: null });
    this.watchers.changed([jobId]);
  }

  private async describe(
    { fields, endpoint, taskModels }: Submission<BatchGenerateDto>,
    principal: Principal,
  ): Promise<NewJob> {
    const { webhook } = fields;
    if (webhook != null) {
      const fault = webhookUrlFault(webhook.url, this.config.webhooks.allowPrivate);
      if (fault !== undefined) throw invalidRequest(`'webhook.url' ${fault}.`, 'webhook.url');
    }
    const output = fields.output == null ? undefined : this.buckets.allowed(fields.output.s3, principal.keyId);
    const models = new Map([[fields.model, 'model'], ...taskModels]);
    this.submissions.assertModels(models, principal);
    return {
      ...(await this.options.of(fields, { models: models.keys(), expiresInSeconds: fields.expires_in })),
      model: fields.model,
      endpoint: endpoint === DEFAULT_ENDPOINT ? null : endpoint,
      defaults: defaultsOf(fields),
      metadata: fields.batch_metadata ?? null,
      pricing: this.pricings.of(fields.pricing, fields.model),
      priority: fields.priority ?? 'normal',
      ...(fields.expires_in != null && { expiresInSeconds: fields.expires_in }),
      output,
      webhookUrl: webhook?.url ?? null,
      webhookSecret: webhook == null ? null : (webhook.secret ?? makeWebhookSecret()),
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

function defaultsOf({ max_tokens, temperature, top_p }: BatchGenerateDto): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ max_tokens, temperature, top_p }).filter(([, value]) => value !== undefined && value !== null),
  );
}
