import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

export const UPLOAD_STATUSES = ['pending', 'completed', 'cancelled', 'expired'] as const;
export type UploadStatus = (typeof UPLOAD_STATUSES)[number];

/** A file that a client uploads in parts. Its row stays until it expires, also when it is completed. Times are epoch milliseconds. */
@Entity('file_upload')
@Check('CHK_file_upload_status', `status IN ('pending', 'completed', 'cancelled', 'expired')`)
@Index('IDX_file_upload_key_id', ['keyId', 'status'])
@Index('IDX_file_upload_expires_at', ['expiresAt'])
export class FileUpload {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  /** The key that uploads; every query of a client carries it. */
  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  @Column({ type: 'varchar', length: 32 })
  purpose!: string;

  @Column({ type: 'varchar', length: 512 })
  filename!: string;

  /** Of the whole file, as announced; they count in the quota of the key while the upload is pending. */
  @Column({ type: 'bigint', transformer: wholeNumber })
  bytes!: number;

  @Column({ type: 'varchar', length: 16 })
  status!: UploadStatus;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  @Column({ name: 'expires_at', type: 'bigint', transformer: wholeNumber })
  expiresAt!: number;

  /** Seconds from the completion to the deletion of the file; null where the file does not expire. */
  @Column({ name: 'file_expiry_seconds', type: 'int', nullable: true })
  fileExpirySeconds!: number | null;

  /** The file that the parts became. */
  @Column({ name: 'file_id', type: 'varchar', length: 40, nullable: true })
  fileId!: string | null;
}

/** A part of an upload. Its content is in the storage of files, under its id. */
@Entity('file_upload_part')
@Index('IDX_file_upload_part_upload_id', ['uploadId'])
export class FileUploadPart {
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  @Column({ name: 'upload_id', type: 'varchar', length: 40 })
  uploadId!: string;

  @Column({ type: 'bigint', transformer: wholeNumber })
  bytes!: number;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;
}
