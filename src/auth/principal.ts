import type { Account } from './spending.js';

/** `routing` lets a key say itself, by headers of a request, what is tried and for how long. */
export const SCOPES = ['inference', 'admin', 'routing'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is calling: the outcome of authentication, shared by requests through the key cache, so never mutated. */
export interface Principal {
  /** Public id of the key, `key_...`; `admin` for the key of GATEWAY_ADMIN_KEY. */
  readonly keyId: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Model ids and `prefix/*` patterns that the key may call; null is every model. */
  readonly allowedModels: readonly string[] | null;
  readonly groupId: string | null;
  /** Whose limits and budgets hold: the key's, then its group's. Empty when neither has any. */
  readonly accounts: readonly Account[];
}
