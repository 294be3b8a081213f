import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

/** Longest id that a provider may give and that is kept. */
export const MAX_ID_CHARACTERS = 128;

/** A response that is kept for later requests of the same key. */
@Entity('stored_response')
@Index('IDX_stored_response_key_id', ['keyId', 'responseId'], { unique: true })
@Index('IDX_stored_response_created_at', ['createdAt'])
@Index('IDX_stored_response_heartbeat_at', ['heartbeatAt'], { where: 'heartbeat_at IS NOT NULL' })
export class StoredResponse {
  /** The gateway's own. Providers choose the ids of their responses, so that two keys may have the same one. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** The key that made it; every query of a client carries it. */
  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  /** The id that the client knows. */
  @Column({ name: 'response_id', type: 'varchar', length: 128 })
  responseId!: string;

  /** The previous response. */
  @Column({ name: 'previous_id', type: 'varchar', length: 128, nullable: true })
  previousId!: string | null;

  /** The provider that keeps it as well, under the same id; null where none does. */
  @Column({ type: 'varchar', length: 128, nullable: true })
  provider!: string | null;

  /** Epoch milliseconds. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** Epoch milliseconds: when the process that makes the response was last known to run; null once it is finished. */
  @Column({ name: 'heartbeat_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  heartbeatAt!: number | null;

  /** JSON: the items of the request's own input, each with an id. */
  @Column({ type: 'text' })
  input!: string;

  /** JSON: the response as the client got it. */
  @Column({ type: 'text' })
  response!: string;
}

/** Which deployment encrypted a piece of reasoning. No other can decrypt it. */
@Entity('reasoning_origin')
@Index('IDX_reasoning_origin_created_at', ['createdAt'])
export class ReasoningOrigin {
  /** SHA-256 of the encrypted content, in hex. */
  @PrimaryColumn({ type: 'varchar', length: 64 })
  id!: string;

  @Column({ type: 'varchar', length: 128 })
  provider!: string;

  /** The model's id there; null in rows of versions that did not store it, which stand for any model of the provider. */
  @Column({ name: 'upstream_model', type: 'varchar', length: 256, nullable: true })
  upstreamModel!: string | null;

  /** Epoch milliseconds. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;
}

/** Events of a response in the background that is streamed, several in one piece. */
@Entity('stored_response_event')
@Index('IDX_stored_response_event_key_id', ['keyId', 'responseId', 'piece'], { unique: true })
@Index('IDX_stored_response_event_created_at', ['createdAt'])
export class StoredResponseEvent {
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** The key that made the response; every query of a client carries it. */
  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  @Column({ name: 'response_id', type: 'varchar', length: 128 })
  responseId!: string;

  /** Its place among the pieces of the response, from 0. */
  @Column({ type: 'int' })
  piece!: number;

  /** Epoch milliseconds. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** Frames of server-sent events, as the client got them. */
  @Column({ type: 'text' })
  frames!: string;
}
