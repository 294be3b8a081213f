import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/**
 * The source of tokens and cost. `reported`: by the provider. `estimated`: the whole response came without a count. `worst_case`:
 * the most that the provider may have generated, because it was abandoned while working, or the call could not be counted.
 */
export type CostBasis = 'reported' | 'estimated' | 'worst_case';

/**
 * One request to a model with all its attempts. An attempt that was abandoned while its provider was working has an additional
 * record. Written once, never changed.
 */
@Entity('usage_record')
@Index('IDX_usage_record_created_at_id', ['createdAt', 'id'])
@Index('IDX_usage_record_sums', [
  'createdAt',
  'keyId',
  'model',
  'provider',
  'groupId',
  'operation',
  'status',
  'costNanos',
  'promptTokens',
  'completionTokens',
  'totalTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'images',
  'audioSeconds',
  'characters',
  'searchUnits',
  'webSearches',
  'isEstimated',
])
@Index('IDX_usage_record_key_id_created_at', ['keyId', 'createdAt'])
@Index('IDX_usage_record_group_id_created_at', ['groupId', 'createdAt'])
@Index('IDX_usage_record_session_id_created_at', ['sessionId', 'createdAt'], { where: 'session_id IS NOT NULL' })
export class UsageRecord {
  /** `use_` and 24 hexadecimal digits. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  /** When the request began, in epoch milliseconds. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  @Column({ name: 'request_id', type: 'varchar', length: 128 })
  requestId!: string;

  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  @Column({ name: 'group_id', type: 'varchar', length: 32, nullable: true })
  groupId!: string | null;

  @Column({ type: 'varchar', length: 16, default: 'chat' })
  operation!: string;

  /** The wire format of the client's request; null in records of versions that did not store it. */
  @Column({ name: 'wire_format', type: 'varchar', length: 32, nullable: true })
  wireFormat!: string | null;

  @Column({ type: 'varchar', length: 8 })
  source!: 'live' | 'batch';

  /** The model of the request. */
  @Column({ name: 'requested_model', type: 'varchar', length: 256 })
  requestedModel!: string;

  /** The configured model that responded, or the last one that was tried. */
  @Column({ type: 'varchar', length: 256 })
  model!: string;

  @Column({ type: 'varchar', length: 128, nullable: true })
  provider!: string | null;

  @Column({ name: 'upstream_model', type: 'varchar', length: 256, nullable: true })
  upstreamModel!: string | null;

  @Column({ name: 'is_stream', type: 'boolean' })
  isStream!: boolean;

  /** `retried`: one abandoned attempt, after which its request, which has its own record, was tried elsewhere. */
  @Column({ type: 'varchar', length: 16 })
  status!: 'succeeded' | 'failed' | 'abandoned' | 'retried';

  /** 200, or the status of the error; 200 also for a stream that failed after its first event. */
  @Column({ name: 'http_status', type: 'integer' })
  httpStatus!: number;

  @Column({ name: 'error_code', type: 'varchar', length: 64, nullable: true })
  errorCode!: string | null;

  /** Upstream calls. */
  @Column({ type: 'integer' })
  attempts!: number;

  @Column({ name: 'prompt_tokens', type: 'integer' })
  promptTokens!: number;

  @Column({ name: 'completion_tokens', type: 'integer' })
  completionTokens!: number;

  @Column({ name: 'total_tokens', type: 'integer' })
  totalTokens!: number;

  @Column({ name: 'cached_tokens', type: 'integer' })
  cachedTokens!: number;

  /** Prompt tokens that were written into the provider's cache, for any time. */
  @Column({ name: 'cache_write_tokens', type: 'integer', default: 0 })
  cacheWriteTokens!: number;

  /** Cache writes that are kept for an hour. */
  @Column({ name: 'cache_write_1h_tokens', type: 'integer', default: 0 })
  cacheWrite1hTokens!: number;

  @Column({ name: 'reasoning_tokens', type: 'integer' })
  reasoningTokens!: number;

  /** Generated images; null where none are billed, as for all units below. */
  @Column({ type: 'integer', nullable: true })
  images!: number | null;

  @Column({ name: 'audio_seconds', type: 'double precision', nullable: true })
  audioSeconds!: number | null;

  /** Characters turned into speech. */
  @Column({ type: 'integer', nullable: true })
  characters!: number | null;

  /** Search units of reranking. */
  @Column({ name: 'search_units', type: 'integer', nullable: true })
  searchUnits!: number | null;

  /** Searches of the web that the provider made for a chat call. */
  @Column({ name: 'web_searches', type: 'integer', nullable: true })
  webSearches!: number | null;

  /** The service tier that the provider reported, by its own name. */
  @Column({ name: 'service_tier', type: 'varchar', length: 64, nullable: true })
  serviceTier!: string | null;

  @Column({ name: 'is_estimated', type: 'boolean' })
  isEstimated!: boolean;

  /** Billionths of a US dollar, so that sums are exact; null when the price is unknown. */
  @Column({ name: 'cost_nanos', type: 'bigint', nullable: true, transformer: wholeNumber })
  costNanos!: number | null;

  /** What the same usage costs at the list price; not stored. Absent where it is the cost. */
  listCostNanos?: number | null;

  /** Null in records of versions that did not store it. */
  @Column({ name: 'cost_basis', type: 'varchar', length: 16, nullable: true })
  costBasis!: CostBasis | null;

  /** Milliseconds to the first byte; null when none was received. */
  @Column({ name: 'first_byte_ms', type: 'integer', nullable: true })
  firstByteMs!: number | null;

  @Column({ name: 'duration_ms', type: 'integer' })
  durationMs!: number;

  /** The request's `user`. */
  @Column({ name: 'end_user', type: 'varchar', length: 512, nullable: true })
  endUser!: string | null;

  /** The client's session, of its headers or of its `metadata.user_id`. */
  @Column({ name: 'session_id', type: 'varchar', length: 128, nullable: true })
  sessionId!: string | null;

  /** The agent within the session; null for the main one. */
  @Column({ name: 'agent_id', type: 'varchar', length: 128, nullable: true })
  agentId!: string | null;

  @Column({ type: 'simple-json', nullable: true })
  metadata!: object | null;
}
