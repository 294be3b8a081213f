import { type Full, LimitStore, type ReserveOutcome, type Window } from './limit-store.js';

/** The counts of all processes as one of them uses them: what it holds is given back when it ends. */
export class WorkerLimitStore extends LimitStore {
  private readonly places = new Map<string, string>();
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

  async takePlace(account: string, limit: number, id: string): Promise<boolean> {
    const isTaken = await this.store.takePlace(account, limit, id);
    if (isTaken) this.places.set(id, account);
    return isTaken;
  }

  freePlace(account: string, id: string): void {
    if (this.places.delete(id)) this.store.freePlace(account, id);
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
   * The process has ended. What its last calls cost is not known and no record will say it, so that what was set aside for
   * them counts as spent: their providers may bill it.
   */
  async release(): Promise<void> {
    for (const [id, account] of this.places) this.store.freePlace(account, id);
    for (const [id, { balance, amount }] of this.reservations) await this.store.settle(balance, id, amount);
  }
}
