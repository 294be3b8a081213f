import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** `paused`: nothing is claimed until its job is resumed. `closed`: its job is being ended, nothing more is claimed. */
export type LaneState = 'ready' | 'delayed' | 'paused' | 'closed';

/**
 * The waiting tasks of one job for one model. The row exists while tasks wait, so that claiming reads only lanes, at a cost
 * that does not depend on the number of tasks. Tasks from `nextIndex` to `endIndex` were never claimed; `requeued` counts those
 * in `batch_requeue`. Times are epoch milliseconds of the database's clock.
 */
@Entity('batch_lane')
@Check('CHK_batch_lane_state', `state IN ('ready', 'delayed', 'paused', 'closed')`)
@Index('IDX_batch_lane_ready', ['laneGroup', 'priority', 'submittedAt'], { where: `state = 'ready'` })
@Index('IDX_batch_lane_native', ['jobId'], { where: `state = 'ready' AND substr(model, 1, 8) = '~native:'` })
@Index('IDX_batch_lane_delayed', ['readyAt'], { where: `state = 'delayed'` })
export class BatchLane {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  @PrimaryColumn({ type: 'varchar', length: 256 })
  model!: string;

  /** Key and model, between which slots are shared: see `laneGroup`. */
  @Column({ name: 'lane_group', type: 'varchar', length: 320 })
  laneGroup!: string;

  /** 0 is high, 1 normal, 2 low. */
  @Column({ type: 'int' })
  priority!: number;

  @Column({ name: 'submitted_at', type: 'bigint', transformer: wholeNumber })
  submittedAt!: number;

  @Column({ name: 'expires_at', type: 'bigint', transformer: wholeNumber })
  expiresAt!: number;

  @Column({ name: 'next_index', type: 'int', default: 0 })
  nextIndex!: number;

  @Column({ name: 'end_index', type: 'int', default: 0 })
  endIndex!: number;

  @Column({ type: 'int', default: 0 })
  requeued!: number;

  @Column({ type: 'varchar', length: 8 })
  state!: LaneState;

  /** When the first of its tasks may run, for a `delayed` lane. */
  @Column({ name: 'ready_at', type: 'bigint', default: 0, transformer: wholeNumber })
  readyAt!: number;

  /** Tasks that one claim takes of it at most; null is any number. */
  @Column({ name: 'max_claim', type: 'int', nullable: true })
  maxClaim!: number | null;

  /** When tasks were last claimed from it; initially when it began to wait. */
  @Column({ name: 'served_at', type: 'bigint', transformer: wholeNumber })
  servedAt!: number;
}

/** A task that waits outside the never-claimed range of its job: it was requeued, or it names its own model. */
@Entity('batch_requeue')
@Index('IDX_batch_requeue_lane', ['jobId', 'model', 'nextRunAt'])
export class BatchRequeue {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  @PrimaryColumn({ name: 'task_index', type: 'int' })
  taskIndex!: number;

  @Column({ type: 'varchar', length: 256 })
  model!: string;

  @Column({ name: 'next_run_at', type: 'bigint', transformer: wholeNumber })
  nextRunAt!: number;
}

/** Tasks that one process holds until the lease expires. Deleting the row allows their tasks to be claimed again. */
@Entity('batch_claim')
export class BatchClaim {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  @Column({ type: 'varchar', length: 64 })
  worker!: string;

  @Column({ name: 'lease_until', type: 'bigint', transformer: wholeNumber })
  leaseUntil!: number;

  /** Counts the changes of `tasks`, so that a change whose confirmation was lost is not repeated. */
  @Column({ type: 'int', default: 0 })
  version!: number;

  /** JSON: `[jobId, model, nextIndex, endIndex, [index, ...]]` for each lane. */
  @Column({ type: 'text' })
  tasks!: string;

  @Column({ name: 'task_count', type: 'int' })
  taskCount!: number;
}
