import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** The kind of target of an entry: the first part of its action. */
export const AUDIT_TARGETS = [
  'key',
  'group',
  'request_log',
  'batch',
  'provider',
  'deployment',
  'configuration',
  'session',
] as const;
export type AuditTarget = (typeof AUDIT_TARGETS)[number];

/** An action of an administrator. It is stored in the transaction of the change and never changed. */
@Entity('audit_entry')
@Index('IDX_audit_entry_created_at_id', ['createdAt', 'id'])
export class AuditEntry {
  /** `aud_` and 24 hexadecimal digits. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** Id of the key that did it. */
  @Column({ type: 'varchar', length: 32 })
  actor!: string;

  /** `key.created`, `group.updated`, ... */
  @Column({ type: 'varchar', length: 32 })
  action!: string;

  @Column({ name: 'target_type', type: 'varchar', length: 16 })
  targetType!: AuditTarget;

  @Index('IDX_audit_entry_target_id')
  @Column({ name: 'target_id', type: 'varchar', length: 32 })
  targetId!: string;

  /** The new values by field, without secrets. */
  @Column({ type: 'simple-json' })
  changes!: object;

  /** The previous values of the changed fields; null if there were none, or if they are too long to store. */
  @Column({ type: 'simple-json', nullable: true })
  before!: object | null;
}
