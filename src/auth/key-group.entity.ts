import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';
import type { FallbackRule } from './fallback-rule.js';
import type { Budget, BudgetAdjustment, RateLimits } from './spending.js';

/** Keys that share limits and a budget: a team, a service, a customer. */
@Entity('key_group')
@Index('IDX_key_group_created_at_id', ['createdAt', 'id'])
export class KeyGroup {
  /** `group_` and 16 hexadecimal digits. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  @Column({ type: 'varchar', length: 200 })
  name!: string;

  @Column({ type: 'simple-json', nullable: true })
  limits!: RateLimits | null;

  @Column({ type: 'simple-json', nullable: true })
  budget!: Budget | null;

  /** Null where the budget was neither reset nor credited. */
  @Column({ name: 'budget_adjustment', type: 'simple-json', nullable: true })
  budgetAdjustment!: BudgetAdjustment | null;

  /** Which fallbacks of models may serve its keys; null is `any`. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  fallbacks!: FallbackRule | null;

  @Column({ type: 'simple-json', nullable: true })
  metadata!: object | null;

  /** Id of the key that made it. */
  @Column({ name: 'created_by', type: 'varchar', length: 32 })
  createdBy!: string;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;
}
