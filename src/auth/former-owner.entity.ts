import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/**
 * A purged key or a deleted group: its name, for reports over the time when it existed, and its parent, since its spending counts
 * against the budgets of the keys and groups above it.
 */
@Entity('former_owner')
export class FormerOwner {
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  @Column({ type: 'varchar', length: 200 })
  name!: string;

  /** The key that made it. */
  @Index('IDX_former_owner_parent_id')
  @Column({ name: 'parent_id', type: 'varchar', length: 32, nullable: true })
  parentId!: string | null;

  @Column({ name: 'group_id', type: 'varchar', length: 32, nullable: true })
  groupId!: string | null;

  /** Epoch milliseconds. */
  @Column({ name: 'removed_at', type: 'bigint', transformer: wholeNumber })
  removedAt!: number;
}
