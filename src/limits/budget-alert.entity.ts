import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** An alert that has been given, so that no process gives it again, and its delivery to the webhook. */
@Entity('budget_alert')
@Index('IDX_budget_alert_webhook_due_at', ['webhookDueAt'], { where: 'webhook_due_at IS NOT NULL' })
@Index('IDX_budget_alert_webhook_owner', ['owner', 'webhookDueAt'], { where: 'webhook_due_at IS NOT NULL' })
export class BudgetAlert {
  /** Whose budget, in which period, at which threshold: `key_1:2026-11:0.8`. */
  @PrimaryColumn({ type: 'varchar', length: 128 })
  id!: string;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** Whose share of the deliveries in flight it counts for: always the operator's. */
  @Column({ type: 'varchar', length: 32, default: 'alerts' })
  owner!: string;

  /** The event as JSON; null in rows of a version that did not keep it. */
  @Column({ type: 'text', nullable: true })
  event!: string | null;

  @Column({ name: 'webhook_attempts', type: 'int', default: 0 })
  webhookAttempts!: number;

  /** When the webhook is to be tried next; null when there is nothing to send. */
  @Column({ name: 'webhook_due_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  webhookDueAt!: number | null;
}
