import { type Full, LimitStore, type ReserveOutcome, type Window } from './limit-store.js';

/** The limit store as one worker uses it: its slots are released when it exits. */
export class WorkerLimitStore extends LimitStore {
  private readonly slots = new Map<string, string>();
  private readonly reservations = new Map<string, { readonly balance: string; readonly amount: number }>();

  constructor(private readonly store: LimitStore) {
    super();
  }

  takePoints(id: string, limit: number, points: number): Promise<Window | Full> {
    return this.store.takePoints(id, limit, points);
  }

  changePoints(id: string, points: number): void {
    this.store.changePoints(id, points);
  }

  async takeSlot(account: string, limit: number, id: string): Promise<boolean> {
    const isTaken = await this.store.takeSlot(account, limit, id);
    if (isTaken) this.slots.set(id, account);
    return isTaken;
  }

  freeSlot(account: string, id: string): void {
    if (this.slots.delete(id)) this.store.freeSlot(account, id);
  }

  async reserve(balance: string, id: string, amount: number, limit: number): Promise<ReserveOutcome> {
    const outcome = await this.store.reserve(balance, id, amount, limit);
    if (outcome === 'reserved') this.reservations.set(id, { balance, amount });
    return outcome;
  }

  open(balance: string, spent: number): Promise<void> {
    return this.store.open(balance, spent);
  }

  settle(balance: string, id: string, actual: number): Promise<number | undefined> {
    this.reservations.delete(id);
    return this.store.settle(balance, id, actual);
  }

  forget(balance: string): void {
    this.store.forget(balance);
  }

  /**
   * The process has exited. The cost of its last calls is unknown and no record will contain it, so their reservations count as
   * spent: the providers may bill them.
   */
  async release(): Promise<void> {
    for (const [id, account] of this.slots) this.store.freeSlot(account, id);
    for (const [id, { balance, amount }] of this.reservations) await this.store.settle(balance, id, amount);
  }
}
