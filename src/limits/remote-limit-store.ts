import { upstreamUnavailable } from '../errors/gateway-error.js';
import { type Full, LimitStore, type ReserveOutcome, type Window } from './limit-store.js';

/** A step of a store and what it is given. */
export type LimitStep = {
  [Name in keyof LimitStore]: readonly [name: Name, ...given: Parameters<LimitStore[Name]>];
}[keyof LimitStore];

/** The way to a store in another process. */
export interface LimitChannel {
  /** @returns what the step gives; undefined when the other process is gone */
  ask(step: LimitStep): Promise<unknown>;
  notify(step: LimitStep): void;
}

/** Does a step that came over a channel. */
export function takeLimitStep(store: LimitStore, [name, ...given]: LimitStep): unknown {
  return (store as unknown as Record<string, (...given: readonly unknown[]) => unknown>)[name]?.(...given);
}

/** Counts that another process keeps for several. */
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

  takePlace(account: string, limit: number, id: string): Promise<boolean> {
    return this.ask(['takePlace', account, limit, id]);
  }

  freePlace(account: string, id: string): void {
    this.channel.notify(['freePlace', account, id]);
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

  private async ask<Answer>(step: LimitStep): Promise<Answer> {
    const answer = await this.channel.ask(step);
    // A process whose primary is gone ends; what still reaches it on an old connection belongs elsewhere.
    if (answer === undefined) {
      throw upstreamUnavailable({ message: 'The gateway is shutting down. Retry the request.', retryable: false });
    }
    return answer as Answer;
  }
}
