import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** A prompt and its response, encrypted, kept for the key's retention. Times are epoch milliseconds. */
@Entity('request_log')
@Index('IDX_request_log_created_at_id', ['createdAt', 'id'])
@Index('IDX_request_log_key_id_created_at', ['keyId', 'createdAt'])
@Index('IDX_request_log_expires_at', ['expiresAt'])
export class RequestLogEntry {
  /** `rlog_` and random characters. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  @Column({ name: 'request_id', type: 'varchar', length: 128 })
  requestId!: string;

  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  @Column({ type: 'varchar', length: 16, default: 'chat' })
  operation!: string;

  /** The model of the request; cut to 256 characters. */
  @Column({ type: 'varchar', length: 256 })
  model!: string;

  /** Null when no provider was called. */
  @Column({ type: 'varchar', length: 128, nullable: true })
  provider!: string | null;

  @Column({ type: 'varchar', length: 16 })
  status!: 'succeeded' | 'failed' | 'abandoned';

  @Column({ name: 'error_code', type: 'varchar', length: 64, nullable: true })
  errorCode!: string | null;

  /** The client's session, of its headers. */
  @Column({ name: 'session_id', type: 'varchar', length: 128, nullable: true })
  sessionId!: string | null;

  /** The agent within the session; null for the main one. */
  @Column({ name: 'agent_id', type: 'varchar', length: 128, nullable: true })
  agentId!: string | null;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  @Column({ name: 'expires_at', type: 'bigint', transformer: wholeNumber })
  expiresAt!: number;

  /** Id of the encryption key, so that keys can be rotated; reveals nothing of the key itself. */
  @Column({ name: 'encryption_key', type: 'varchar', length: 16 })
  encryptionKey!: string;

  /** Nonce, tag and ciphertext of the compressed JSON, in base64. */
  @Column({ type: 'text' })
  content!: string;
}
