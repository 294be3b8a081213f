import type { WireName } from '../../operations/chat/canonical/wire-name.js';
import type { CanonicalChunk, CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import { toChunks, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../../operations/chat/sourced-chunk.js';
import { RECOVERED, SplicedChunk } from '../../operations/chat/spliced-chunk.js';
import { writeUsage } from '../../wire/openai-chat/canonical-usage.js';
import { ChunkReader } from '../../wire/openai-chat/chunk-reader.js';
import { ChunkWriter } from '../../wire/openai-chat/chunk-writer.js';
import type { SentResponse } from './sent-response.js';
import { Contradiction, type TextJoin } from './text-join.js';

/** Formats whose end states how often another deployment went on. Completions read it as chat. */
const WIRES = { anthropic: true, gemini: true, 'openai-chat': true, 'openai-responses': true } satisfies {
  readonly [Name in WireName]?: true;
};

export interface SpliceOptions {
  readonly sent: SentResponse;
  /** Undefined where no text was sent. */
  readonly join: TextJoin | undefined;
  /** What deployments whose streams broke consumed. */
  readonly usageBefore: CanonicalUsage;
  /** How often another deployment went on, this time included. */
  readonly recovered: number;
  /** The client's names of tools that were changed for OpenAI's form. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
}

/**
 * Turns the chunks of a deployment into those that follow what was sent: one start, indices that go on, one finish, the usage of
 * all. Thinking that comes after text was sent is left out, for it belongs in front of the text.
 */
export class Splice {
  /** Characters that the deployment has sent, also those that are left out. */
  length = 0;
  /** The usage that this deployment reports. */
  usage: CanonicalUsage | undefined;
  private readonly reader = new ChunkReader();
  private readonly writer: ChunkWriter;
  /** Whether the client has the beginning of a response; not where all of it was held back. */
  private hasStarted: boolean;
  private readonly hadText: boolean;
  private join: TextJoin | undefined;
  private hasOwnEnd = false;
  private isOver = false;
  private open: { readonly index: number; readonly type: string } | undefined;
  /** A block of the deployment's text has ended, so that its next one is a block of its own. */
  private endsText = false;
  private next: number;
  /** The client's indices by the deployment's; absent for text and for what is left out. */
  private readonly indices = new Map<number, number>();
  private readonly texts = new Set<number>();
  private readonly before: () => readonly CanonicalChunk[];

  constructor(private readonly options: SpliceOptions) {
    const { sent, join } = options;
    this.join = join;
    this.hadText = sent.hasText;
    this.open = sent.openBlock;
    this.next = sent.nextIndex;
    const events = sent.events();
    this.before = () => events;
    this.writer = new ChunkWriter({ model: sent.start?.model ?? '', now: Date.now() });
    this.hasStarted = sent.start !== undefined;
    if (this.hasStarted) for (const event of events) this.writer.write(event, []);
  }

  /** @throws Contradiction where it does not agree with what was sent */
  add(group: readonly StreamedChunk[]): SplicedChunk[] {
    const out: CanonicalChunk[] = [];
    for (const chunk of group) {
      let events: readonly CanonicalChunk[];
      if (chunk instanceof SourcedChunk) {
        this.hasOwnEnd = true;
        ({ events } = chunk);
      } else {
        const read: CanonicalChunk[] = [];
        for (const each of toChunks([chunk])) this.reader.read(each, read);
        events = read.map((event) => this.withClientName(event));
      }
      for (const event of events) this.event(event, out);
    }
    return this.written(out);
  }

  /** What comes after the last chunk. @throws Contradiction where the response is shorter than what was sent */
  end(): SplicedChunk[] {
    const events: CanonicalChunk[] = [];
    if (!this.hasOwnEnd) this.reader.end(events);
    const out: CanonicalChunk[] = [];
    for (const event of events) this.event(event, out);
    return this.written(out);
  }

  private written(events: readonly CanonicalChunk[]): SplicedChunk[] {
    if (events.length === 0) return [];
    const chunks: ChatCompletionChunk[] = [];
    for (const event of events) this.writer.write(event, chunks);
    for (const chunk of chunks) {
      if (chunk.usage != null || chunk.choices.some(({ finish_reason: reason }) => reason !== null)) {
        chunk[RECOVERED] = this.options.recovered;
      }
    }
    const usage = this.isOver && this.usage !== undefined ? writeUsage(this.usage) : undefined;
    return [new SplicedChunk(events, chunks, usage, this.before)];
  }

  private event(event: CanonicalChunk, out: CanonicalChunk[]): void {
    switch (event.type) {
      case 'usage':
        this.usage = event.usage;
        break;
      case 'block_start':
        this.begin(event, out);
        break;
      case 'delta':
        this.length += event.text.length;
        if (this.texts.has(event.index)) this.text(this.join?.push(event.text) ?? event.text, out);
        else this.mapped(event, out);
        break;
      case 'signature':
      case 'block_extras':
        this.mapped(event, out);
        break;
      case 'block_end':
        // Text that is not certain yet belongs to the block that ends here.
        if (this.texts.has(event.index)) this.endsText = this.join?.isHolding !== true;
        else this.mapped(event, out);
        if (this.open !== undefined && this.open.index === this.indices.get(event.index)) this.open = undefined;
        break;
      case 'finish':
        this.endJoin(out);
        this.close(out);
        out.push({ type: 'extras', extras: this.mark() }, event);
        break;
      case 'end':
        if (this.usage !== undefined) out.push({ type: 'usage', usage: sumOf(this.options.usageBefore, this.usage) });
        this.isOver = true;
        out.push(event);
        break;
      case 'start':
        if (!this.hasStarted) out.push(event);
        this.hasStarted = true;
        break;
      case 'extras':
      case 'logprobs':
      case 'ping':
        break;
    }
  }

  private begin(event: CanonicalChunk & { readonly type: 'block_start' }, out: CanonicalChunk[]): void {
    const { type } = event.block;
    if (type === 'text') {
      this.texts.add(event.index);
      return;
    }
    if (type === 'thinking' && this.hadText) return;
    if (type !== 'thinking') this.endJoin(out);
    if (type === 'refusal' && this.hadText) throw new Contradiction();
    this.close(out);
    const index = this.next;
    this.next += 1;
    this.indices.set(event.index, index);
    if (type === 'thinking' || type === 'refusal') this.open = { index, type };
    out.push({ ...event, index });
  }

  private text(text: string, out: CanonicalChunk[]): void {
    if (text === '') return;
    if (this.open?.type !== 'text' || this.endsText) {
      this.close(out);
      this.open = { index: this.next, type: 'text' };
      this.next += 1;
      out.push({ type: 'block_start', choice: 0, index: this.open.index, block: { type: 'text' } });
    }
    this.endsText = false;
    out.push({ type: 'delta', choice: 0, index: this.open.index, text });
  }

  private mapped(
    event: Extract<CanonicalChunk, { type: 'delta' | 'signature' | 'block_extras' | 'block_end' }>,
    out: CanonicalChunk[],
  ): void {
    const index = this.indices.get(event.index);
    if (index !== undefined) out.push({ ...event, index });
  }

  private endJoin(out: CanonicalChunk[]): void {
    const { join } = this;
    this.join = undefined;
    if (join !== undefined) this.text(join.end(), out);
  }

  private close(out: CanonicalChunk[]): void {
    if (this.open !== undefined) out.push({ type: 'block_end', choice: 0, index: this.open.index });
    this.open = undefined;
    this.endsText = false;
  }

  private mark(): Record<string, Record<string, number>> {
    return Object.fromEntries(Object.keys(WIRES).map((wire) => [wire, { [RECOVERED]: this.options.recovered }]));
  }

  private withClientName(event: CanonicalChunk): CanonicalChunk {
    if (event.type !== 'block_start' || event.block.type !== 'tool_call') return event;
    const name = this.options.toolNames?.get(event.block.name);
    return name === undefined ? event : { ...event, block: { ...event.block, name } };
  }
}

export function sumOf(first: CanonicalUsage, second: CanonicalUsage): CanonicalUsage {
  const sum = (
    name: 'cachedTokens' | 'cacheWriteTokens' | 'cacheWrite1hTokens' | 'reasoningTokens' | 'webSearches',
  ): object => {
    const [one, two] = [first[name], second[name]];
    return one === undefined && two === undefined ? {} : { [name]: (one ?? 0) + (two ?? 0) };
  };
  return {
    ...second,
    inputTokens: first.inputTokens + second.inputTokens,
    outputTokens: first.outputTokens + second.outputTokens,
    ...sum('cachedTokens'),
    ...sum('cacheWriteTokens'),
    ...sum('cacheWrite1hTokens'),
    ...sum('reasoningTokens'),
    ...sum('webSearches'),
  };
}
