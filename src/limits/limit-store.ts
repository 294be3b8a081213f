/** The rest of a window after points were taken from it. */
export interface Window {
  /** Points left in it. */
  readonly remaining: number;
  /** Epoch milliseconds at which it ends. */
  readonly endsAt: number;
}

/** A full window: milliseconds until it ends. */
export interface Full {
  readonly retryAfterMs: number;
}

/** The state of a balance that does not cover an amount, in billionths of a dollar. */
export interface NoRoom {
  readonly spent: number;
  readonly reserved: number;
}

/** `reserved`; the state of a balance that does not cover it; or `unknown`: the balance has not been opened yet. */
export type ReserveOutcome = 'reserved' | 'unknown' | NoRoom;

/**
 * Counts limits while Redis does not: in this process, or in the primary for all processes of the machine. Each operation
 * checks and counts atomically, so that concurrent requests cannot exceed a limit together.
 */
export abstract class LimitStore {
  /** Takes points from the window of one minute that the first request of `id` started. */
  abstract takePoints(id: string, limit: number, points: number): Promise<Window | Full>;
  /** Corrects the points taken from a window; negative points are returned to it. */
  abstract changePoints(id: string, points: number): void;
  /** Takes a slot under its own id, among the `limit` requests of an account that may be in flight at once. */
  abstract takeSlot(account: string, limit: number, id: string): Promise<boolean>;
  /** Must be called once for each slot that was taken. */
  abstract freeSlot(account: string, id: string): void;
  /** Reserves an amount under its own id, if the balance stays at or below `limit`. Billionths of a dollar. */
  abstract reserve(balance: string, id: string, amount: number, limit: number): Promise<ReserveOutcome>;
  /** Sets the initial sum of a balance; only the first call has an effect. */
  abstract open(balance: string, spent: number): Promise<void>;
  /**
   * Ends a reservation with the actual cost.
   *
   * @returns what the balance has spent by now; undefined when there is no reservation with that id
   */
  abstract settle(balance: string, id: string, actual: number): Promise<number | undefined>;
  /** Deletes a balance, which must then be opened again. */
  abstract forget(balance: string): void;
}
