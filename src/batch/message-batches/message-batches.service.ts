import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Request, Response } from 'express';
import { Repository } from 'typeorm';
import type { Principal } from '../../auth/principal.js';
import { invalidRequest, notFound } from '../../errors/gateway-error.js';
import { formatHeaders } from '../../model-endpoint/upstream-headers.js';
import { timeOfId } from '../../runtime/random-id.js';
import { BatchJob } from '../batch-job.entity.js';
import { BatchResponder, streamHeaders } from '../batch-responder.js';
import { BatchService } from '../batch.service.js';
import { BatchStore } from '../batch-store.js';
import { NewJobOptions } from '../control/new-job-options.js';
import { JobPricings } from '../native/job-pricings.js';
import { PARAMS_ENDPOINT } from '../submission/parse-task.js';
import { Submissions } from '../submission/submissions.service.js';
import { MESSAGE_BATCH_FORM } from './message-batch-form.js';
import { messageBatchOf } from './message-batch.js';
import type {
  DeletedMessageBatchDto,
  MessageBatchDto,
  MessageBatchListDto,
  MessageBatchPageDto,
} from './message-batches.dto.js';
import { MESSAGE_RESULTS } from './message-result.js';

const DEFAULT_LIMIT = 20;
const RESULT_LINES = { format: MESSAGE_RESULTS, headers: streamHeaders('application/x-jsonl; charset=utf-8') };

/** Anthropic's Message Batches. Each is a job of the batch engine, all of whose tasks are requests of `/v1/messages`. */
@Injectable()
export class MessageBatchesService {
  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    private readonly submissions: Submissions,
    private readonly batches: BatchService,
    private readonly store: BatchStore,
    private readonly responder: BatchResponder,
    private readonly options: NewJobOptions,
    private readonly pricings: JobPricings,
  ) {}

  async create(request: Request, principal: Principal): Promise<MessageBatchDto> {
    const { job } = await this.submissions.accept(request, MESSAGE_BATCH_FORM, {
      principal,
      idempotencyKey: request.get('idempotency-key'),
      describe: async ({ taskModels, fields }) => {
        this.submissions.assertModels(taskModels, principal);
        // The model of most tasks waits in lanes of the job, and each other one in its own.
        const [model = ''] = taskModels.keys();
        return {
          ...(await this.options.of(fields, { models: taskModels.keys() })),
          api: 'messages',
          model,
          endpoint: PARAMS_ENDPOINT,
          headers: formatHeaders(request.headers),
          pricing: this.pricings.of(fields.pricing, model),
          ...(fields.expires_in != null && { expiresInSeconds: fields.expires_in }),
        };
      },
    });
    return messageBatchOf(job, request);
  }

  async retrieve(id: string, principal: Principal, request: Request): Promise<MessageBatchDto> {
    return messageBatchOf(await this.own(id, principal), request);
  }

  /** A page, newest first, of the key's batches that were made here. */
  async list(
    { limit = DEFAULT_LIMIT, after_id: afterId, before_id: beforeId }: MessageBatchPageDto,
    principal: Principal,
    request: Request,
  ): Promise<MessageBatchListDto> {
    if (afterId !== undefined && beforeId !== undefined) {
      throw invalidRequest("'after_id' and 'before_id' exclude each other. Send one of them.", 'before_id');
    }
    const query = this.jobs
      .createQueryBuilder('job')
      .where(`job.status <> 'staging' AND job.keyId = :keyId AND job.api = 'messages'`, { keyId: principal.keyId });
    const [cursorId, name] = beforeId === undefined ? [afterId, 'after_id'] : [beforeId, 'before_id'];
    const [compare, order] = beforeId === undefined ? ['<', 'DESC' as const] : ['>', 'ASC' as const];
    if (cursorId !== undefined) {
      const cursor = await query.clone().andWhere('job.id = :cursorId', { cursorId }).getOne();
      // A batch that has been deleted keeps its place in the list.
      const time = cursor?.submittedAt ?? timeOfId(cursorId);
      if (time === undefined) {
        throw invalidRequest(`'${name}' is no message batch's id. Send the id of a batch of the list.`, name);
      }
      query.andWhere(
        `(job.submittedAt ${compare} :time OR (job.submittedAt = :time AND job.id ${compare} :cursorId))`,
        { time, cursorId },
      );
    }
    const found = await query
      .orderBy('job.submittedAt', order)
      .addOrderBy('job.id', order)
      .limit(limit + 1)
      .getMany();
    const page = found.slice(0, limit);
    if (beforeId !== undefined) page.reverse();
    return {
      data: page.map((job) => messageBatchOf(job, request)),
      has_more: found.length > limit,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    };
  }

  async cancel(id: string, principal: Principal, request: Request): Promise<MessageBatchDto> {
    await this.batches.end((await this.own(id, principal)).id);
    return this.retrieve(id, principal, request);
  }

  /** Deletes a batch that has ended, with its results. @throws GatewayError 400 while it has not */
  async delete(id: string, principal: Principal): Promise<DeletedMessageBatchDto> {
    await this.own(id, principal);
    if (!(await this.store.deleteEnded(id))) {
      throw invalidRequest(`The batch '${id}' has not ended. Cancel it first, and delete it when it has ended.`, null);
    }
    return { id, type: 'message_batch_deleted' };
  }

  /** All results, one a line. @throws GatewayError 400 while the batch has not ended, so that no part is taken for the whole */
  async results(
    id: string,
    principal: Principal,
    exchange: { readonly request: Request; readonly response: Response },
  ): Promise<void> {
    const job = await this.own(id, principal);
    if (job.completedAt === null) {
      throw invalidRequest(`The batch '${id}' has not ended, so its results are not complete. Retry later.`, null);
    }
    await this.responder.resultsOf(job, principal, exchange, RESULT_LINES);
  }

  /** @throws GatewayError 404 for an unknown id, one of another key, and one of another API */
  private async own(id: string, principal: Principal): Promise<BatchJob> {
    const job = await this.jobs.findOneBy({ id, keyId: principal.keyId, api: 'messages' });
    if (job !== null && job.status !== 'staging') return job;
    throw notFound(`There is no message batch '${id.slice(0, 64)}'.`, 'not_found', 'message_batch_id');
  }
}
