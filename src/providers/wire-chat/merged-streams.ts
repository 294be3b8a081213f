import type { ChatCompletionChunk, Usage } from '../../operations/chat/chat-completion.js';
import type { WireChunkStream } from './wire-chunk-stream.js';
import { sumUsage } from './sum-usage.js';

type Group = readonly ChatCompletionChunk[];

interface Arrival {
  readonly index: number;
  readonly group: Group | undefined;
}

const OVER: IteratorResult<Group> = Object.freeze({ done: true, value: undefined });

/**
 * Several streams of one choice each as one stream of several choices: chunks as they arrive, then the usage of them all. Not a
 * generator, because `return` on one that has not been started does nothing, and the upstream calls would continue unused.
 */
export class MergedStreams implements AsyncIterableIterator<Group> {
  private readonly waiting = new Map<number, Promise<Arrival>>();
  private readonly usages: (Usage | undefined)[];
  private head: Pick<ChatCompletionChunk, 'id' | 'object' | 'created' | 'model'> | undefined;
  private state: 'new' | 'choices' | 'over' = 'new';

  constructor(private readonly streams: readonly WireChunkStream[]) {
    this.usages = streams.map(() => undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Group>> {
    if (this.state === 'over') return OVER;
    if (this.state === 'new') {
      this.state = 'choices';
      this.streams.forEach((_, index) => this.ask(index));
    }
    const group = await this.nextGroup();
    if (group !== undefined) return { done: false, value: group };
    this.state = 'over';
    const usage = sumUsage(this.usages);
    if (usage === undefined || this.head === undefined) return OVER;
    return { done: false, value: [{ ...this.head, choices: [], usage }] };
  }

  /** Ends the remaining upstream responses at once. */
  async return(): Promise<IteratorResult<Group>> {
    this.state = 'over';
    this.waiting.clear();
    await Promise.all(this.streams.map((stream) => stream.return()));
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
      const { index, group } = arrival;
      this.waiting.delete(index);
      if (group === undefined) continue;
      this.ask(index);
      if (group.length > 0) return group;
    }
    return undefined;
  }

  private ask(index: number): void {
    const stream = this.streams[index];
    if (stream === undefined) return;
    const arrival = stream.next().then((result): Arrival => {
      if (result.done === true) return { index, group: undefined };
      return { index, group: result.value.flatMap(({ chunks }) => chunks.flatMap((chunk) => this.take(index, chunk))) };
    });
    // Raced by the next call; until then, or when another choice has failed before, it has no listener.
    arrival.catch(() => undefined);
    this.waiting.set(index, arrival);
  }

  /** The chunk as one of the merged stream; nothing for usage, which comes at the end. */
  private take(index: number, chunk: ChatCompletionChunk): Group {
    const { id, object, created, model } = chunk;
    this.head ??= { id, object, created, model };
    if (chunk.usage != null) this.usages[index] = chunk.usage;
    if (chunk.choices.length === 0) return [];
    return [{ ...this.head, choices: chunk.choices.map((choice) => ({ ...choice, index })) }];
  }
}
