import { RateLimiterMemory } from 'rate-limiter-flexible';
import { readNanoDollars } from '../runtime/nano-dollars.js';
import { type Full, LimitStore, type ReserveOutcome, type Window } from './limit-store.js';
import { judge, WINDOW_OPTIONS } from './window.js';

/** Accounts and balances that are kept in memory; then those that nothing is taken or set aside of are forgotten. */
const MAX_ENTRIES = 20_000;

interface Balance {
  spent: number;
  reserved: number;
  readonly reservations: Map<string, number>;
}

/** The counts of one process, in its memory. */
export class InProcessLimitStore extends LimitStore {
  private readonly windows = new RateLimiterMemory(WINDOW_OPTIONS);
  /** Requests under way. Counted rather than listed, and kept at 0: what comes and goes in a Set or Map grows old with it. */
  private readonly places = new Map<string, { taken: number }>();
  private readonly balances = new Map<string, Balance>();

  async takePoints(id: string, limit: number, points: number): Promise<Window | Full> {
    const outcome = judge(await this.windows.consume(id, points), limit, points);
    if ('retryAfter' in outcome) this.changePoints(id, -points);
    return outcome;
  }

  changePoints(id: string, points: number): void {
    if (points < 0) void this.windows.reward(id, -points);
    else void this.windows.penalty(id, points);
  }

  takePlace(account: string, limit: number): Promise<boolean> {
    let places = this.places.get(account);
    if (places === undefined) {
      if (this.places.size >= MAX_ENTRIES) this.forgetFree();
      places = { taken: 0 };
      this.places.set(account, places);
    }
    if (places.taken >= limit) return Promise.resolve(false);
    places.taken += 1;
    return Promise.resolve(true);
  }

  freePlace(account: string): void {
    const places = this.places.get(account);
    if (places !== undefined && places.taken > 0) places.taken -= 1;
  }

  reserve(balance: string, id: string, amount: number, limit: number): Promise<ReserveOutcome> {
    const known = this.balances.get(balance);
    if (known === undefined) return Promise.resolve('unknown');
    const { spent, reserved } = known;
    // Written so that what is no number never finds room.
    if (!(spent + reserved + amount <= limit)) return Promise.resolve({ spent, reserved });
    known.reserved += amount;
    known.reservations.set(id, amount);
    return Promise.resolve('reserved');
  }

  open(balance: string, spent: number): Promise<void> {
    if (!this.balances.has(balance)) {
      if (this.balances.size >= MAX_ENTRIES) this.forgetIdle();
      this.balances.set(balance, { spent, reserved: 0, reservations: new Map() });
    }
    return Promise.resolve();
  }

  settle(balance: string, id: string, actual: number): Promise<number | undefined> {
    const known = this.balances.get(balance);
    const amount = known?.reservations.get(id);
    if (known === undefined || amount === undefined) return Promise.resolve(undefined);
    known.reservations.delete(id);
    known.reserved -= amount;
    known.spent += readNanoDollars(actual) ?? amount;
    return Promise.resolve(known.spent);
  }

  forget(balance: string): void {
    this.balances.delete(balance);
  }

  private forgetFree(): void {
    for (const [account, { taken }] of this.places) if (taken === 0) this.places.delete(account);
  }

  private forgetIdle(): void {
    for (const [id, { reservations }] of this.balances) if (reservations.size === 0) this.balances.delete(id);
  }
}
