import { RateLimiterMemory } from 'rate-limiter-flexible';
import { readNanoDollars } from '../runtime/nano-dollars.js';
import { type Full, LimitStore, type ReserveOutcome, type Window } from './limit-store.js';
import { judge, WINDOW_OPTIONS } from './window.js';

/** Accounts and balances kept in memory; above this, those without slots and reservations are dropped. */
const MAX_ENTRIES = 20_000;

interface Balance {
  spent: number;
  reserved: number;
  readonly reservations: Map<string, number>;
}

/** The limits of one process, in its memory. */
export class InProcessLimitStore extends LimitStore {
  private readonly windows = new RateLimiterMemory(WINDOW_OPTIONS);
  /** Requests in flight. A counter that stays at 0 rather than a list, because entries added to and deleted from a Set or Map make it grow. */
  private readonly slots = new Map<string, { taken: number }>();
  private readonly balances = new Map<string, Balance>();

  async takePoints(id: string, limit: number, points: number): Promise<Window | Full> {
    const outcome = judge(await this.windows.consume(id, points), limit, points);
    if ('retryAfterMs' in outcome) this.changePoints(id, -points);
    return outcome;
  }

  changePoints(id: string, points: number): void {
    if (points < 0) void this.windows.reward(id, -points);
    else void this.windows.penalty(id, points);
  }

  takeSlot(account: string, limit: number): Promise<boolean> {
    let slots = this.slots.get(account);
    if (slots === undefined) {
      if (this.slots.size >= MAX_ENTRIES) this.forgetFree();
      slots = { taken: 0 };
      this.slots.set(account, slots);
    }
    if (slots.taken >= limit) return Promise.resolve(false);
    slots.taken += 1;
    return Promise.resolve(true);
  }

  freeSlot(account: string): void {
    const slots = this.slots.get(account);
    if (slots !== undefined && slots.taken > 0) slots.taken -= 1;
  }

  reserve(balance: string, id: string, amount: number, limit: number): Promise<ReserveOutcome> {
    const known = this.balances.get(balance);
    if (known === undefined) return Promise.resolve('unknown');
    const { spent, reserved } = known;
    // Written so that NaN never fits.
    const before = known.reservations.get(id) ?? 0;
    if (!(spent + reserved - before + amount <= limit)) return Promise.resolve({ spent, reserved });
    known.reserved += amount - before;
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
    for (const [account, { taken }] of this.slots) if (taken === 0) this.slots.delete(account);
  }

  private forgetIdle(): void {
    for (const [id, { reservations }] of this.balances) if (reservations.size === 0) this.balances.delete(id);
  }
}
