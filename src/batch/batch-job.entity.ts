import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { JobPricing } from './native/tiers.js';
import { wholeNumber } from '../database/whole-number.js';
import type { HoldReason, JobOptions } from './control/job-options.js';
import type { JobOutput } from './output/job-output.js';

/** The statuses that clients see. */
export const JOB_STATUSES = [
  'queued',
  'in_progress',
  'completed',
  'failed',
  'cancelling',
  'cancelled',
  'expired',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** From the first claimed to the last. */
export const JOB_PRIORITIES = ['high', 'normal', 'low'] as const;
export type JobPriority = (typeof JOB_PRIORITIES)[number];

/** The API other than the gateway's own through which jobs are submitted: `messages` is `/v1/messages/batches`, `batches` is `/v1/batches`. */
export type BatchApi = 'messages' | 'batches';

/** A batch job. Its counters change in the transactions that change its tasks. Times are epoch milliseconds. */
@Entity('batch_job')
@Check(
  'CHK_batch_job_status',
  `status IN ('staging', 'queued', 'in_progress', 'completed', 'failed', 'cancelling', 'cancelled', 'expired')`,
)
@Check('CHK_batch_job_priority', `priority IN ('high', 'normal', 'low')`)
@Index('IDX_batch_job_key_id', ['keyId', 'submittedAt', 'id'])
@Index('IDX_batch_job_api', ['keyId', 'api', 'submittedAt', 'id'], { where: 'api IS NOT NULL' })
@Index('IDX_batch_job_status', ['status', 'submittedAt'])
@Index('IDX_batch_job_submitted_at', ['submittedAt', 'id'])
@Index('IDX_batch_job_completed_at', ['completedAt'], { where: 'completed_at IS NOT NULL' })
@Index('IDX_batch_job_expires_at', ['expiresAt'], { where: `status IN ('queued', 'in_progress')` })
@Index('IDX_batch_job_failing', ['submittedAt'], {
  where: `error IS NOT NULL AND status IN ('queued', 'in_progress')`,
})
@Index('IDX_batch_job_webhook_due_at', ['webhookDueAt'], { where: 'webhook_due_at IS NOT NULL' })
@Index('IDX_batch_job_webhook_key_id', ['keyId', 'webhookDueAt'], { where: 'webhook_due_at IS NOT NULL' })
@Index('IDX_batch_job_idempotency', ['keyId', 'idempotencyKey'], { unique: true })
export class BatchJob {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  /** The key that submitted the job; every query of a client carries it. */
  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  /** The API whose clients see the job as their own; null for `/v1/batch`. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  api!: BatchApi | null;

  @Column({ type: 'varchar', length: 256 })
  model!: string;

  /** Path of the endpoint of tasks that name none; null for chat completions. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  endpoint!: string | null;

  /** Fields that the tasks inherit, by the names of the submission. */
  @Column({ type: 'simple-json' })
  defaults!: object;

  /** Headers of the submission that belong to the formats of its tasks, names in lower case; null for none. */
  @Column({ type: 'simple-json', nullable: true })
  headers!: object | null;

  @Column({ type: 'simple-json', nullable: true })
  metadata!: object | null;

  @Column({ type: 'varchar', length: 8 })
  priority!: JobPriority;

  /** `staging` while its tasks are being stored: such a job is not visible, and if a crash leaves one, it is deleted. */
  @Column({ type: 'varchar', length: 16 })
  status!: JobStatus | 'staging';

  @Column({ name: 'task_count', type: 'int' })
  taskCount!: number;

  @Column({ name: 'completed_count', type: 'int', default: 0 })
  completedCount!: number;

  @Column({ name: 'failed_count', type: 'int', default: 0 })
  failedCount!: number;

  @Column({ name: 'cancelled_count', type: 'int', default: 0 })
  cancelledCount!: number;

  @Column({ name: 'expired_count', type: 'int', default: 0 })
  expiredCount!: number;

  /** How the price is chosen against time; null is at the list price. */
  @Column({ type: 'varchar', length: 8, nullable: true })
  pricing!: JobPricing | null;

  /** What its calls have cost, in billionths of a US dollar, as far as prices are known. */
  @Column({ name: 'cost_nanos', type: 'bigint', default: 0, transformer: wholeNumber })
  costNanos!: number;

  /** What they would have cost at the list price. */
  @Column({ name: 'list_cost_nanos', type: 'bigint', default: 0, transformer: wholeNumber })
  listCostNanos!: number;

  /** Why the job as such could not run. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ name: 'submitted_at', type: 'bigint', transformer: wholeNumber })
  submittedAt!: number;

  @Column({ name: 'started_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  startedAt!: number | null;

  @Column({ name: 'completed_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  completedAt!: number | null;

  /** When a client or an operator first asked to cancel the job. */
  @Column({ name: 'cancel_requested_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  cancelRequestedAt!: number | null;

  /** When an operator paused the job; null while it is not paused. */
  @Column({ name: 'paused_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  pausedAt!: number | null;

  /** `key` if the job's own key paused it and may resume it; null where an operator did. */
  @Column({ name: 'pause_source', type: 'varchar', length: 8, nullable: true })
  pauseSource!: 'key' | null;

  @Column({ name: 'expires_at', type: 'bigint', transformer: wholeNumber })
  expiresAt!: number;

  /** The optional bounds of the job, as they were submitted; null for none. */
  @Column({ type: 'simple-json', nullable: true })
  options!: JobOptions | null;

  /** Until when no task of it starts; null, or in the past, where no such time is known. */
  @Column({ name: 'held_until', type: 'bigint', nullable: true, transformer: wholeNumber })
  heldUntil!: number | null;

  @Column({ name: 'hold_reason', type: 'varchar', length: 16, nullable: true })
  holdReason!: HoldReason | null;

  /** Cost of the ended calls of a job with `max_cost_usd`, in billionths of a US dollar. */
  @Column({ name: 'spent_nanos', type: 'bigint', default: 0, transformer: wholeNumber })
  spentNanos!: number;

  /** Tasks that ended because `max_cost_usd` did not cover them. */
  @Column({ name: 'cost_refused_count', type: 'int', default: 0 })
  costRefusedCount!: number;

  /** Tasks that one claim takes of each lane at most; null is any number. */
  @Column({ name: 'max_claim', type: 'int', nullable: true })
  maxClaim!: number | null;

  /** The object in a bucket that the results are written to, and how far that is; null for none. */
  @Column({ type: 'simple-json', nullable: true })
  output!: JobOutput | null;

  /** The Idempotency-Key header; null once its 24 hours have passed. */
  @Column({ name: 'idempotency_key', type: 'varchar', length: 255, nullable: true })
  idempotencyKey!: string | null;

  /** SHA-256 of the submitted body, in hex. */
  @Column({ name: 'request_hash', type: 'varchar', length: 64, nullable: true })
  requestHash!: string | null;

  @Column({ name: 'webhook_url', type: 'varchar', length: 2048, nullable: true })
  webhookUrl!: string | null;

  @Column({ name: 'webhook_secret', type: 'varchar', length: 128, nullable: true })
  webhookSecret!: string | null;

  @Column({ name: 'webhook_attempts', type: 'int', default: 0 })
  webhookAttempts!: number;

  /** When the webhook is due next; null when there is nothing to send. */
  @Column({ name: 'webhook_due_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  webhookDueAt!: number | null;
}
