import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** `found`: the file was changed on the machine, or was there before the first edit. */
export const CHANGE_KINDS = ['edited', 'restored', 'found'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A text that gateway.yaml had, without its secrets. */
@Entity('configuration_change')
@Index('IDX_configuration_change_created_at_id', ['createdAt', 'id'])
export class ConfigurationChange {
  /** `cfg_` and 24 hexadecimal digits. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** Epoch milliseconds. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  @Column({ type: 'varchar', length: 16 })
  kind!: ChangeKind;

  /** Id of the key that did it; `operator` for what was found. */
  @Column({ type: 'varchar', length: 32 })
  actor!: string;

  /** Name of the key or of the person at that time; null for `operator`. */
  @Column({ name: 'actor_name', type: 'varchar', length: 200, nullable: true })
  actorName!: string | null;

  /** The machine whose file it is. */
  @Column({ type: 'varchar', length: 255 })
  host!: string;

  @Column({ type: 'varchar', length: 200, nullable: true })
  note!: string | null;

  /** Of the file with its secrets: a keyed hash. */
  @Column({ type: 'varchar', length: 64 })
  version!: string;

  /** Id of the change whose text was taken again. */
  @Column({ name: 'restored_id', type: 'varchar', length: 32, nullable: true })
  restoredId!: string | null;

  @Column({ name: 'added_lines', type: 'integer' })
  addedLines!: number;

  @Column({ name: 'removed_lines', type: 'integer' })
  removedLines!: number;

  /** With names in place of secrets. */
  @Column({ type: 'text' })
  text!: string;
}
