import { upstreamUnavailable } from '../errors/gateway-error.js';
import { type Full, LimitStore, type ReserveOutcome, type Window } from './limit-store.js';

/** A method of a store with its arguments. */
export type LimitStep = {
  [Name in keyof LimitStore]: readonly [name: Name, ...given: Parameters<LimitStore[Name]>];
}[keyof LimitStore];

/** The channel to a store in another process. */
export interface LimitChannel {
  /** @returns the result of the method; undefined when the other process has exited */
  ask(step: LimitStep): Promise<unknown>;
  notify(step: LimitStep): void;
}

/** Calls the method that a message from the channel names. */
export function takeLimitStep(store: LimitStore, [name, ...given]: LimitStep): unknown {
  return (store as unknown as Record<string, (...given: readonly unknown[]) => unknown>)[name]?.(...given);
}

/** A store that another process keeps for several. */
export class RemoteLimitStore extends LimitStore {
  constructor(private readonly channel: LimitChannel) {
    super();
  }

  takePoints(id: string, limit: number, points: number): Promise<Window | Full> {
    return this.ask(['takePoints', id, limit, points]);
  }

  changePoints(id: string, points: number): void {
    this.channel.notify(['changePoints', id, points]);
  }

  takeSlot(account: string, limit: number, id: string): Promise<boolean> {
    return this.ask(['takeSlot', account, limit, id]);
  }

  freeSlot(account: string, id: string): void {
    this.channel.notify(['freeSlot', account, id]);
  }

  reserve(balance: string, id: string, amount: number, limit: number): Promise<ReserveOutcome> {
    return this.ask(['reserve', balance, id, amount, limit]);
  }

  async open(balance: string, spent: number): Promise<void> {
    await this.channel.ask(['open', balance, spent]);
  }

  async settle(balance: string, id: string, actual: number): Promise<number | undefined> {
    return (await this.channel.ask(['settle', balance, id, actual])) as number | undefined;
  }

  forget(balance: string): void {
    this.channel.notify(['forget', balance]);
  }

  private async ask<Result>(step: LimitStep): Promise<Result> {
    const response = await this.channel.ask(step);
    // A process whose primary has exited is ending; requests on its old connections must be sent elsewhere.
    if (response === undefined) {
      throw upstreamUnavailable({ message: 'The gateway is shutting down. Retry the request.', retryable: false });
    }
    return response as Result;
  }
}
