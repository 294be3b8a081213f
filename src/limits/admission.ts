import type { Account } from '../auth/spending.js';
import type { ResolvedModel } from '../routing/resolved-model.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import type { NanoDollars } from '../runtime/nano-dollars.js';
import type { TokenCount } from '../runtime/token-count.js';
import type { SizedRequest } from './cost-estimator.js';
import type { Caller } from './limit-refusals.js';

/** Everything that was reserved for one call. */
export interface Admission {
  /** `x-ratelimit-*`, of the limit that is closest to being reached. */
  readonly headers: Readonly<Record<string, string>>;
  /** Releases its slots; counting what it used may take a while longer. */
  leave(): void;
  /** Releases slots and reservations, and counts what was used. Only the first call has an effect. Never rejects. */
  settle(tokens: TokenCount, cost: NanoDollars): Promise<void>;
  /**
   * Reserves the same amount again, for a further attempt after one that its provider may bill.
   *
   * @returns false if a budget does not cover it
   */
  coverAnother(): Promise<boolean>;
  /** The amount reserved in budgets so far, for all attempts together; 0 without a budget. */
  readonly reserved: NanoDollars;
}

/** A call that asks for admission. */
export interface AdmissionRequest extends Caller, SizedRequest {
  readonly accounts: readonly Account[];
  readonly model: ResolvedModel;
  /** When the request arrived, in epoch milliseconds: it counts in the periods of that time. */
  readonly startedAt: number;
  /** Whether the call may wait briefly for a slot, as tasks of batches may. */
  readonly mayWait: boolean;
  readonly signal: CancelSignal;
  /** All models whose deployments may be called, fallbacks included. */
  readonly models: () => readonly ResolvedModel[];
  /** The provider has made the response already: budgets count it in any case, and no limit refuses it. Default false. */
  readonly isMade?: boolean;
  /** Names what is reserved in budgets, where another process may reserve it again after a crash of this one. */
  readonly reservationId?: string | undefined;
}
