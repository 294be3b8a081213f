import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { AuditLog, type AuditedAction } from '../audit/audit-log.service.js';
import type { Principal } from '../auth/principal.js';
import { newestFirst } from '../database/newest-first.js';
import { notFound } from '../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES } from '../http/page-query.dto.js';
import { toUnixSeconds } from '../http/unix-seconds.js';
import type { AdminBatchDto, AdminBatchListDto, AdminBatchQueryDto, UpdateBatchDto } from './admin-batches.dto.js';
import { BatchJob } from './batch-job.entity.js';
import { BatchRunner } from './batch-runner.js';
import { BatchService } from './batch.service.js';
import { JobWatchers } from './events/job-watchers.js';
import { JobControl, type NoteChange } from './job-control.js';
import { assertUnfinished } from './job-conflict.js';
import { summaryOf } from './job-summary.js';
import { BatchQueue } from './queue/batch-queue.js';
import { QueueDepth } from './queue-depth.js';

/** Operators' view of the jobs of all keys, and their actions. Each change, and each read of results, is in the audit log. */
@Injectable()
export class AdminBatchesService {
  constructor(
    @InjectRepository(BatchJob) private readonly jobs: Repository<BatchJob>,
    private readonly batches: BatchService,
    private readonly control: JobControl,
    private readonly queueDepth: QueueDepth,
    private readonly runner: BatchRunner,
    private readonly queue: BatchQueue,
    private readonly watchers: JobWatchers,
    private readonly audit: AuditLog,
  ) {}

  async list(query: AdminBatchQueryDto): Promise<AdminBatchListDto> {
    const { limit = DEFAULT_PAGE_ENTRIES, after } = query;
    const { rows, ...page } = await newestFirst(jobsOf(this.jobs, query), 'submittedAt', {
      limit,
      after,
      what: 'batch',
      idPrefix: 'batch_',
    });
    const { queued, running, oldestWaiting } = await this.queueDepth.read();
    return {
      object: 'list',
      data: rows.map(toAdminDto),
      ...page,
      queued_tasks: queued,
      running_tasks: running,
      oldest_waiting_seconds: Math.floor(oldestWaiting / 1_000),
    };
  }

  async find(jobId: string): Promise<AdminBatchDto> {
    return toAdminDto(await this.job(jobId));
  }

  /** A job whose results are about to be read; the read is written to the audit log. */
  async toRead(jobId: string, { keyId: actor }: Principal): Promise<BatchJob> {
    const job = await this.job(jobId);
    await this.audit.record({ actor, action: 'batch.read', targetId: jobId, changes: { key_id: job.keyId } });
    return job;
  }

  async cancel(jobId: string, principal: Principal): Promise<AdminBatchDto> {
    const job = await this.job(jobId);
    await this.batches.end(jobId, this.note(job, principal, { action: 'batch.cancelled', changes: {} }));
    return this.find(jobId);
  }

  async pause(jobId: string, principal: Principal): Promise<AdminBatchDto> {
    const job = await this.job(jobId);
    assertUnfinished(job, 'paused');
    const note = this.note(job, principal, { action: 'batch.paused', changes: {} });
    if (await this.control.pause(jobId, 'operator', note)) {
      this.runner.pauseHere(jobId);
      this.watchers.changed([jobId]);
    }
    return this.find(jobId);
  }

  async resume(jobId: string, principal: Principal): Promise<AdminBatchDto> {
    const job = await this.job(jobId);
    assertUnfinished(job, 'resumed');
    const note = this.note(job, principal, {
      action: 'batch.resumed',
      changes: {},
      before: { paused_at: toUnixSeconds(job.pausedAt) },
    });
    if (await this.control.resume(jobId, 'operator', note)) {
      this.queue.notify(jobId);
      this.watchers.changed([jobId]);
    }
    return this.find(jobId);
  }

  async update(jobId: string, { priority }: UpdateBatchDto, principal: Principal): Promise<AdminBatchDto> {
    const job = await this.job(jobId);
    assertUnfinished(job, 're-prioritised');
    const note = this.note(job, principal, {
      action: 'batch.updated',
      changes: { priority },
      before: { priority: job.priority },
    });
    if (await this.control.prioritise(jobId, priority, note)) this.watchers.changed([jobId]);
    return this.find(jobId);
  }

  private note(
    { id, keyId }: BatchJob,
    principal: Principal,
    { changes, ...action }: Pick<AuditedAction, 'action' | 'changes' | 'before'>,
  ): NoteChange {
    const entry = { ...action, actor: principal.keyId, targetId: id, changes: { ...changes, key_id: keyId } };
    return (manager) => this.audit.note(manager, entry);
  }

  private async job(jobId: string): Promise<BatchJob> {
    const job = await this.jobs.findOneBy({ id: jobId });
    if (job === null || job.status === 'staging') {
      throw notFound(`There is no batch '${jobId.slice(0, 64)}'.`, 'not_found', 'job_id');
    }
    return job;
  }
}

/** The jobs that meet the conditions of a list, in no order. */
export function jobsOf(
  jobs: Repository<BatchJob>,
  { status, paused, key_id: keyId, model }: AdminBatchQueryDto,
): SelectQueryBuilder<BatchJob> {
  const found = jobs.createQueryBuilder('job').where(`job.status <> 'staging'`);
  if (status !== undefined) found.andWhere('job.status = :status', { status });
  if (paused !== undefined) found.andWhere(`job.pausedAt IS ${paused === 'true' ? 'NOT NULL' : 'NULL'}`);
  if (keyId !== undefined) found.andWhere('job.keyId = :keyId', { keyId });
  if (model !== undefined) found.andWhere('job.model = :model', { model });
  return found;
}

function toAdminDto(job: BatchJob): AdminBatchDto {
  const now = Date.now();
  const seconds = job.startedAt === null ? 0 : ((job.completedAt ?? now) - job.startedAt) / 1_000;
  const done = job.completedCount + job.failedCount;
  return {
    ...summaryOf(job),
    key_id: job.keyId,
    age_seconds: Math.max(0, Math.floor((now - job.submittedAt) / 1_000)),
    tasks_per_second: seconds > 0 ? Math.round((done / seconds) * 100) / 100 : null,
  };
}
