import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import type { ChoiceStream } from './choice-stream.js';
import type { LinkedAbort } from '../../runtime/linked-abort.js';
import type { StreamHead } from './to-chunks.js';
import { sumUsage } from './to-usage.js';

/** One of the calls that make a stream, of which the first chunks are there. */
export interface OpenChoice {
  readonly choice: ChoiceStream;
  readonly request: LinkedAbort;
  readonly first: readonly ChatCompletionChunk[];
}

type Group = readonly ChatCompletionChunk[];

interface Arrival {
  readonly open: OpenChoice;
  readonly group: Group | undefined;
}

const OVER: IteratorResult<Group> = Object.freeze({ done: true, value: undefined });

/**
 * The chunks of all choices as they arrive, then the usage of them all. Not a generator, because `return` on one that has not been
 * started does nothing, and the upstream call would continue unused.
 */
export class MergedChoices implements AsyncIterableIterator<Group> {
  private readonly firsts: OpenChoice[];
  private readonly waiting = new Map<OpenChoice, Promise<Arrival>>();
  private state: 'choices' | 'usage' | 'over' = 'choices';

  /** @param toFailure converts anything that a package throws */
  constructor(
    private readonly choices: readonly OpenChoice[],
    private readonly head: StreamHead,
    private readonly toFailure: (error: unknown, request: LinkedAbort) => unknown,
  ) {
    this.firsts = [...choices];
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Group>> {
    const first = this.firsts.shift();
    if (first !== undefined) {
      this.ask(first);
      return { done: false, value: first.first };
    }
    if (this.state === 'choices') {
      const group = await this.nextGroup();
      if (group !== undefined) return { done: false, value: group };
      this.state = 'usage';
    }
    if (this.state === 'over') return OVER;
    await this.return();
    const usage = sumUsage(this.choices.map(({ choice }) => choice.chunks.usage));
    return usage === undefined ? OVER : { done: false, value: [this.head.chunk([], usage)] };
  }

  /** Ends the remaining upstream responses at once. */
  async return(): Promise<IteratorResult<Group>> {
    this.state = 'over';
    this.firsts.length = 0;
    this.waiting.clear();
    for (const { request } of this.choices) request.abort();
    await Promise.all(this.choices.map(({ choice }) => choice.cancel()));
    return OVER;
  }

  private async nextGroup(): Promise<Group | undefined> {
    while (this.waiting.size > 0) {
      let arrival: Arrival;
      try {
        arrival = await Promise.race(this.waiting.values());
      } catch (error) {
        await this.return();
        throw error;
      }
      this.waiting.delete(arrival.open);
      if (arrival.group === undefined) continue;
      this.ask(arrival.open);
      return arrival.group;
    }
    return undefined;
  }

  private ask(open: OpenChoice): void {
    const arrival = open.request.race(open.choice.next()).then(
      (group): Arrival => ({ open, group }),
      (error: unknown) => {
        throw this.toFailure(error, open.request);
      },
    );
    // Raced by the next call; until then, or when another choice has failed before, it has no listener.
    arrival.catch(() => undefined);
    this.waiting.set(open, arrival);
  }
}
