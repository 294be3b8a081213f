import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** A running process with the key pepper that it makes hashes with, or will once all others hold it too. */
@Entity('key_pepper_holder')
export class KeyPepperHolder {
  /** `pep_` and 24 hexadecimal digits; new at each start. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  @Column({ type: 'varchar', length: 255 })
  host!: string;

  @Column({ type: 'integer' })
  pid!: number;

  /** The fingerprint of the current pepper of the process. */
  @Column({ type: 'varchar', length: 32 })
  fingerprint!: string;

  /** Epoch milliseconds by the clock of the database. */
  @Column({ name: 'seen_at', type: 'bigint', transformer: wholeNumber })
  seenAt!: number;
}
