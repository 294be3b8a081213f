import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { mayCallModel } from '../../auth/may-call-model.js';
import type { Principal } from '../../auth/principal.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { GatewayError, notFound, permissionDenied, upstreamUnavailable } from '../../errors/gateway-error.js';
import { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { Routing } from '../../routing/routing.service.js';
import { readUrl } from '../../webhooks/read-url.js';
import type { BatchJob } from '../batch-job.entity.js';
import { BatchAllowances } from '../control/batch-allowances.js';
import { OutputStore } from '../output/output-store.js';
import { BatchQueue } from '../queue/batch-queue.js';
import { checkedIdempotencyKey, IDEMPOTENCY_WINDOW_MS, sameOr409 } from './idempotency.js';
import { newJob, type NewJob } from './new-job.js';
import type { SubmissionForm } from './submission-form.js';
import { readSubmission, type Submission } from './submission-reader.js';
import { SubmissionStore } from './submission-store.js';
import type { TaskSpool } from './task-spool.js';

/** Submissions that are read from an address at once in one process, and when a client that was refused may retry. */
const MAX_INPUTS = 32;
const INPUT_RETRY_MS = 5_000;

/** The stored job of a submission. */
export interface StoredSubmission {
  readonly job: BatchJob;
  /** Whether it was stored before, by a submission with the same idempotency key and body. */
  readonly isEarlier: boolean;
}

/** Whose submission it is, and the job that it becomes. */
export interface AcceptOptions<Fields extends object> {
  readonly principal: Principal;
  readonly idempotencyKey: string | undefined;
  /** @throws GatewayError to refuse it */
  readonly describe: (submission: Submission<Fields>) => NewJob | Promise<NewJob>;
}

/** Reads, checks and stores submissions, in the form of any API. */
@Injectable()
export class Submissions {
  private inputs = 0;

  constructor(
    private readonly submissionStore: SubmissionStore,
    private readonly allowances: BatchAllowances,
    private readonly outputs: OutputStore,
    private readonly queue: BatchQueue,
    private readonly routing: Routing,
    private readonly endpoints: JsonEndpoints,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * Reads, checks and stores a submission. When this resolves, the job and all its tasks are in the database; when it
   * rejects, nothing is.
   */
  async accept<Fields extends object>(
    request: IncomingMessage,
    form: SubmissionForm<Fields>,
    { principal, idempotencyKey, describe }: AcceptOptions<Fields>,
  ): Promise<StoredSubmission> {
    checkedIdempotencyKey(idempotencyKey);
    return this.reading(request, form, async (submission) => {
      const { hash, spool } = submission;
      return this.store(await describe(submission), spool, { principal, idempotencyKey, hash });
    });
  }

  /** Reads and checks a submission, and passes it on. Its tasks are gone when this resolves. */
  async reading<Fields extends object, Result>(
    request: IncomingMessage,
    form: SubmissionForm<Fields>,
    work: (submission: Submission<Fields>) => Promise<Result>,
  ): Promise<Result> {
    const { maxBodySize, maxTasks } = this.config.batch;
    const { directory } = this;
    const openUrl = (url: string): AsyncIterable<Buffer> => this.openInput(url);
    const submission = await readSubmission(
      request,
      form,
      { maxBodySize, maxTasks, directory, openUrl },
      this.endpoints,
    );
    try {
      return await work(submission);
    } finally {
      submission.spool.dispose();
    }
  }

  /** Stores a job with its tasks, which are valid. When this resolves, all of it is in the database; when it rejects, nothing is. */
  async store(
    fields: NewJob,
    spool: TaskSpool,
    {
      principal,
      idempotencyKey,
      hash,
    }: { principal: Principal; idempotencyKey: string | undefined; hash: string | null },
  ): Promise<StoredSubmission> {
    checkedIdempotencyKey(idempotencyKey);
    const job = newJob({
      ...fields,
      keyId: principal.keyId,
      taskCount: spool.count,
      idempotencyKey: idempotencyKey ?? null,
      requestHash: hash,
    });
    const enqueued = await this.allowances.of(fields, spool, principal);
    const earlier = await this.submissionStore.insertJob(
      job,
      spool.groups(),
      IDEMPOTENCY_WINDOW_MS,
      async (manager) => {
        if (enqueued !== undefined) await this.allowances.reserve(manager, job.id, enqueued);
        if (job.output !== null) await this.outputs.insert(manager, job.id, job.output);
      },
    );
    if (earlier !== undefined) return { job: sameOr409(earlier, hash), isEarlier: true };
    this.queue.notify(job.id);
    return { job, isEarlier: false };
  }

  /** Bounds the addresses that are read at once. @throws GatewayError 503 where there are too many */
  private async *openInput(url: string): AsyncGenerator<Buffer> {
    if (this.inputs >= MAX_INPUTS) {
      throw upstreamUnavailable({
        message: `${MAX_INPUTS} batches are read from their 'input' now. Retry shortly.`,
        retryAfterMs: INPUT_RETRY_MS,
        rejectedByGateway: true,
      });
    }
    this.inputs += 1;
    try {
      yield* readUrl(url, this.config.webhooks.allowPrivate);
    } finally {
      this.inputs -= 1;
    }
  }

  /** Where tasks are kept that are too many for memory. */
  get directory(): string {
    return join(this.config.dataDirectory, 'spool');
  }

  /**
   * Refuses models that there are not, or that the key may not call.
   *
   * @param models with the path where each is named first
   * @throws GatewayError 404 or 403 that names the path
   */
  assertModels(models: Iterable<readonly [model: string, path: string]>, principal: Principal): void {
    for (const [model, path] of models) {
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
}
