import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** A browser that has signed in with a key, or by OpenID Connect. Its token is kept as a hash alone. */
@Entity('console_session')
@Index('IDX_console_session_created_at_id', ['createdAt', 'id'])
export class ConsoleSession {
  /** `sess_` and 24 hexadecimal digits; the first part of the cookie. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** SHA-256 of the token, in hex; of sessions of GATEWAY_ADMIN_KEY together with that key, so that they end when it changes. */
  @Column({ name: 'token_hash', type: 'varchar', length: 64 })
  tokenHash!: string;

  /** The key or person that signed in, with whose rights the session acts; `admin` for GATEWAY_ADMIN_KEY. */
  @Index('IDX_console_session_key_id')
  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  /** The browser, as it names itself; null if it does not. */
  @Column({ name: 'user_agent', type: 'varchar', length: 200, nullable: true })
  userAgent!: string | null;

  /** The person at the sign-in; null where it was a key. */
  @Column({ name: 'user_name', type: 'varchar', length: 200, nullable: true })
  userName!: string | null;

  /** The ID token, with which the identity provider finds the sign-in that is to end there; null where it is not needed. */
  @Column({ name: 'id_token', type: 'text', nullable: true })
  idToken!: string | null;

  /** Epoch milliseconds, as all times here. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** The last request, to the minute. */
  @Column({ name: 'seen_at', type: 'bigint', transformer: wholeNumber })
  seenAt!: number;

  /** When the session ends, however much it is used. */
  @Column({ name: 'expires_at', type: 'bigint', transformer: wholeNumber })
  expiresAt!: number;
}
