import type { FallbackRule } from './fallback-rule.js';
import type { Account } from './spending.js';
import type { Redaction } from '../runtime/redaction.js';

/**
 * `routing` lets a key choose fallbacks and timeout by headers of a request; `provider_options` lets it send the fields and
 * headers that choose model, account, price tier or stored state at the provider.
 */
export const SCOPES = ['inference', 'admin', 'routing', 'provider_options'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * What a person may do in the console: `admin` what an admin key may, `viewer` reads all of that and changes nothing, `member` sees
 * their own keys and usage.
 */
export const ROLES = ['admin', 'viewer', 'member'] as const;
export type Role = (typeof ROLES)[number];

/** Which prompts and responses of a key are stored, and for how long. */
export interface RequestLogSetting {
  readonly days: number;
  /** What is removed before an entry is stored. */
  readonly redact: readonly Redaction[];
}

/** Who is calling: the outcome of authentication, shared by requests through the key cache, so never mutated. */
export interface Principal {
  /** Public id of the key, `key_...`; `admin` for the key of GATEWAY_ADMIN_KEY; `user_...` for a person. */
  readonly keyId: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Model ids and `prefix/*` patterns that the key may call; null is every model. */
  readonly allowedModels: readonly string[] | null;
  /** Which fallbacks of models may serve the key; absent is `any`. */
  readonly fallbacks?: FallbackRule;
  readonly groupId: string | null;
  /** The accounts whose limits and budgets apply: the key's, its group's, then those of the keys that created it and of their groups. */
  readonly accounts: readonly Account[];
  /** Null or absent stores nothing. */
  readonly requestLog?: RequestLogSetting | null;
  /** When the key ends, in epoch milliseconds; null or absent is never. */
  readonly expiresAt?: number | null;
  /** The ancestors of the key, with which it ends, nearest first; absent for none. */
  readonly makerIds?: readonly string[];
  /** Keys between this one and an operator: 0 for one that an operator made. */
  readonly generation?: number;
  /** Of a person who signed in by OpenID Connect; absent for keys. Their `name` is the `owner` of their keys. */
  readonly role?: Role;
  /** Whether it is GATEWAY_ADMIN_KEY or the key of the first start. */
  readonly isOperator?: boolean;
}

declare module '../http/http-types.js' {
  interface HttpRequest {
    /** Set by the key guard; undefined on public routes. */
    user?: Principal;
  }
}
