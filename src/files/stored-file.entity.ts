import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** A file of a client. The content of an upload is in the storage of files, under its id. Times are epoch milliseconds. */
@Entity('stored_file')
@Index('IDX_stored_file_key_id', ['keyId', 'createdAt', 'id'])
@Index('IDX_stored_file_batch_id', ['batchId'], { where: 'batch_id IS NOT NULL' })
@Index('IDX_stored_file_expires_at', ['expiresAt'], { where: 'expires_at IS NOT NULL' })
export class StoredFile {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  /** The key that uploaded the file; every query of a client carries it. */
  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  @Column({ type: 'varchar', length: 32 })
  purpose!: string;

  /** As the client sent it. It is no part of a path. */
  @Column({ type: 'varchar', length: 512 })
  filename!: string;

  @Column({ type: 'bigint', transformer: wholeNumber })
  bytes!: number;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** When the file is deleted; null if it is kept until a client deletes it. */
  @Column({ name: 'expires_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  expiresAt!: number | null;

  /** The batch whose results are the content, which is then read from the tasks of the batch; null for an upload. */
  @Column({ name: 'batch_id', type: 'varchar', length: 40, nullable: true })
  batchId!: string | null;
}
