import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';
import type { FallbackRule } from './fallback-rule.js';
import type { Budget, BudgetAdjustment, RateLimits } from './spending.js';
import type { RequestLogSetting, Scope } from './principal.js';

/** A key as it is kept: never the key itself, only its HMAC. Times are epoch milliseconds. */
@Entity('api_key')
@Index('IDX_api_key_created_at_id', ['createdAt', 'id'])
export class ApiKey {
  /** `key_` and the public part of the key. */
  @PrimaryColumn({ type: 'varchar', length: 32 })
  id!: string;

  @Column({ type: 'varchar', length: 200 })
  name!: string;

  /** HMAC-SHA-256 of the whole key under a pepper, in hex; of an imported key perhaps its SHA-256. */
  @Index('IDX_api_key_hash')
  @Column({ type: 'varchar', length: 64 })
  hash!: string;

  /** Fingerprint of the pepper, or `sha256`; null in rows of a version that knew one pepper only. */
  @Column({ name: 'hash_scheme', type: 'varchar', length: 32, nullable: true })
  hashScheme!: string | null;

  /** The last characters of the key, by which people recognise it. */
  @Column({ type: 'varchar', length: 16 })
  hint!: string;

  /** The key before the last rotation, while the overlap lasts. */
  @Index('IDX_api_key_previous_hash')
  @Column({ name: 'previous_hash', type: 'varchar', length: 64, nullable: true })
  previousHash!: string | null;

  /** As `hashScheme`. */
  @Column({ name: 'previous_hash_scheme', type: 'varchar', length: 32, nullable: true })
  previousHashScheme!: string | null;

  @Column({ name: 'previous_expires_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  previousExpiresAt!: number | null;

  @Column({ type: 'simple-json' })
  scopes!: Scope[];

  /** Null is every model. */
  @Column({ name: 'allowed_models', type: 'simple-json', nullable: true })
  allowedModels!: string[] | null;

  /** Which fallbacks of models may serve the key; null is `any`. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  fallbacks!: FallbackRule | null;

  @Column({ type: 'simple-json', nullable: true })
  metadata!: object | null;

  @Index('IDX_api_key_group_id')
  @Column({ name: 'group_id', type: 'varchar', length: 32, nullable: true })
  groupId!: string | null;

  @Column({ type: 'simple-json', nullable: true })
  limits!: RateLimits | null;

  @Column({ type: 'simple-json', nullable: true })
  budget!: Budget | null;

  /** Null where the budget was neither reset nor credited. */
  @Column({ name: 'budget_adjustment', type: 'simple-json', nullable: true })
  budgetAdjustment!: BudgetAdjustment | null;

  /** Null stores neither prompts nor responses. */
  @Column({ name: 'request_log', type: 'simple-json', nullable: true })
  requestLog!: RequestLogSetting | null;

  /** The person who sees the key and its usage in the console: the value of `console.oidc.user_claim`; null for none. */
  @Index('IDX_api_key_owner')
  @Column({ type: 'varchar', length: 200, nullable: true })
  owner!: string | null;

  /** Id of the key that made this one; `admin` for GATEWAY_ADMIN_KEY, `bootstrap` for the first start. */
  @Column({ name: 'created_by', type: 'varchar', length: 32 })
  createdBy!: string;

  /** The key that created this one and whose bounds apply to it; null for keys that GATEWAY_ADMIN_KEY created. */
  @Index('IDX_api_key_parent_id')
  @Column({ name: 'parent_id', type: 'varchar', length: 32, nullable: true })
  parentId!: string | null;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  @Column({ name: 'expires_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  expiresAt!: number | null;

  @Column({ name: 'revoked_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  revokedAt!: number | null;
}
