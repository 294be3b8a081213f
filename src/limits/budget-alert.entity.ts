import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** An alert that has been given, so that no process gives it again. */
@Entity('budget_alert')
export class BudgetAlert {
  /** Whose budget, in which period, at which threshold: `key_1:2026-11:0.8`. */
  @PrimaryColumn({ type: 'varchar', length: 128 })
  id!: string;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;
}
