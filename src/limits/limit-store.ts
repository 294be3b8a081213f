/** What is left of a window after points were taken of it. */
export interface Window {
  /** Points left in it. */
  readonly remaining: number;
  /** Epoch milliseconds at which it ends. */
  readonly endsAt: number;
}

/** Milliseconds until the window ends. */
export interface Full {
  readonly retryAfter: number;
}

/** What is in a balance, in billionths of a dollar. */
export interface NoRoom {
  readonly spent: number;
  readonly reserved: number;
}

/** An amount was set aside; the balance has no room for it; or nobody has said yet what the balance begins with. */
export type ReserveOutcome = 'reserved' | 'unknown' | NoRoom;

/**
 * Where limits are counted while no Redis does: in this process, or in the one that all processes of the machine ask. Each step
 * looks and counts in one, so that any number of concurrent requests cannot pass together where one alone may.
 */
export abstract class LimitStore {
  /** Takes points of the window of a minute that the first request of `id` began. */
  abstract takePoints(id: string, limit: number, points: number): Promise<Window | Full>;
  /** Corrects what was taken of a window; negative points are given back. */
  abstract changePoints(id: string, points: number): void;
  /** A place among the `limit` requests of an account that may be under way at once, under an id of its own. */
  abstract takePlace(account: string, limit: number, id: string): Promise<boolean>;
  /** To be called once for each place that was taken. */
  abstract freePlace(account: string, id: string): void;
  /** Sets an amount aside, under an id of its own, if the balance has room for it below `limit`. Billionths of a dollar. */
  abstract reserve(balance: string, id: string, amount: number, limit: number): Promise<ReserveOutcome>;
  /** What a balance begins with; the first word counts. */
  abstract open(balance: string, spent: number): Promise<void>;
  /**
   * Ends a reservation by what was really spent.
   *
   * @returns what the balance has spent by now; undefined when nothing was set aside under that id
   */
  abstract settle(balance: string, id: string, actual: number): Promise<number | undefined>;
  /** Forgets a balance, which is then begun anew. */
  abstract forget(balance: string): void;
}
