import type { Signature } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalChunk, CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { PreserializedChunk, toChunks, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../../operations/chat/sourced-chunk.js';
import { CollectedText } from '../../runtime/collected-text.js';
import { ChunkReader } from '../../wire/openai-chat/chunk-reader.js';

/** Characters of a response that are kept, above which it is not recovered. */
const MAX_CHARACTERS = 1_000_000;
/** Chunks that may wait to be read: most streams end well, so the chunks of their beginning and end are never read. */
const MAX_UNREAD_CHUNKS = 16;

interface SentBlock {
  readonly index: number;
  readonly type: 'text' | 'refusal' | 'thinking';
  readonly text: CollectedText;
  /** Whether anything was sent of it, be it empty. */
  hasText: boolean;
  signature: Signature | undefined;
  isOpen: boolean;
}

type Start = CanonicalChunk & { readonly type: 'start' };

/** What a client has of a stream, so that another deployment can go on with it. Kept as text: most chunks bring nothing else. */
export class SentResponse {
  private unread: StreamedChunk[] = [];
  private startEvent: Start | undefined;
  private reportedUsage: CanonicalUsage | undefined;
  private characters = 0;
  private readonly blocks: SentBlock[] = [];
  private reader: ChunkReader | undefined;
  private last: SentBlock | undefined;
  /** Whether everything so far is text or thinking of one choice, and small enough. */
  private isPlain = true;
  private hasFinished = false;

  /** Whether another deployment can go on: nothing but text and thinking was sent. */
  get isRecoverable(): boolean {
    this.readAll();
    return this.isPlain && !this.hasFinished;
  }

  get start(): Start | undefined {
    this.readAll();
    return this.startEvent;
  }

  /** As the deployment that sends has reported it so far. */
  get usage(): CanonicalUsage | undefined {
    this.readAll();
    return this.reportedUsage;
  }

  /** Characters so far. */
  get length(): number {
    this.readAll();
    return this.characters;
  }

  /** The text of the response, without its thinking. */
  get text(): string {
    this.readAll();
    return this.blocks.flatMap(({ type, text }) => (type === 'text' ? String(text) : [])).join('');
  }

  get hasText(): boolean {
    this.readAll();
    return this.blocks.some(({ type, hasText }) => type === 'text' && hasText);
  }

  /** The block that the client sees as in progress. */
  get openBlock(): { readonly index: number; readonly type: SentBlock['type'] } | undefined {
    this.readAll();
    return this.last?.isOpen === true ? this.last : undefined;
  }

  get nextIndex(): number {
    this.readAll();
    return this.blocks.reduce((next, { index }) => Math.max(next, index + 1), 0);
  }

  add(group: readonly StreamedChunk[]): void {
    for (const chunk of group) {
      if (this.unread.length > 0 || !this.addText(chunk)) this.unread.push(chunk);
    }
    if (this.unread.length > MAX_UNREAD_CHUNKS) this.readAll();
  }

  /** What was sent as chunks, for writers that have written none of it. */
  events(): CanonicalChunk[] {
    this.readAll();
    const events: CanonicalChunk[] = [this.startEvent ?? { type: 'start' }];
    for (const { index, type, text, hasText, signature, isOpen } of this.blocks) {
      events.push({ type: 'block_start', choice: 0, index, block: { type } });
      if (hasText) events.push({ type: 'delta', choice: 0, index, text: String(text) });
      if (signature !== undefined) events.push({ type: 'signature', choice: 0, index, signature });
      if (!isOpen) events.push({ type: 'block_end', choice: 0, index });
    }
    return events;
  }

  private readAll(): void {
    if (this.unread.length === 0) return;
    const chunks = this.unread;
    this.unread = [];
    for (const chunk of chunks) {
      if (chunk instanceof SourcedChunk) for (const event of chunk.events) this.event(event);
      else if (!this.addText(chunk)) {
        const events: CanonicalChunk[] = [];
        const reader = (this.reader ??= new ChunkReader());
        for (const each of toChunks([chunk])) reader.read(each, events);
        for (const event of events) this.event(event);
      }
    }
  }

  /** @returns whether the chunk has nothing but more text of the block in progress */
  private addText(chunk: StreamedChunk): boolean {
    if (!(chunk instanceof PreserializedChunk) || this.last?.type !== 'text' || !this.last.isOpen) return false;
    this.write(this.last, chunk.text);
    return true;
  }

  private event(event: CanonicalChunk): void {
    if ('choice' in event && event.choice !== 0) this.isPlain = false;
    switch (event.type) {
      case 'start':
        this.startEvent ??= event;
        break;
      case 'usage':
        this.reportedUsage = event.usage;
        break;
      case 'block_start':
        this.begin(event);
        break;
      case 'delta': {
        const block = this.blockAt(event.index);
        if (block !== undefined) this.write(block, event.text);
        break;
      }
      case 'signature': {
        const block = this.blockAt(event.index);
        if (block !== undefined) block.signature = event.signature;
        break;
      }
      case 'block_end': {
        const block = this.blockAt(event.index);
        if (block !== undefined) block.isOpen = false;
        break;
      }
      case 'block_extras':
      case 'logprobs':
        this.isPlain = false;
        break;
      case 'finish':
        this.hasFinished = true;
        break;
      case 'extras':
      case 'ping':
      case 'end':
        break;
    }
  }

  private begin({ index, block }: CanonicalChunk & { readonly type: 'block_start' }): void {
    if (block.type !== 'text' && block.type !== 'thinking') this.isPlain = false;
    if (block.type === 'tool_call' || block.type === 'whole') return;
    const text = new CollectedText();
    this.last = { index, type: block.type, text, hasText: false, signature: undefined, isOpen: true };
    this.blocks.push(this.last);
  }

  private blockAt(index: number): SentBlock | undefined {
    return this.last?.index === index ? this.last : this.blocks.find((block) => block.index === index);
  }

  private write(block: SentBlock, text: string): void {
    this.characters += text.length;
    if (this.characters > MAX_CHARACTERS) {
      this.isPlain = false;
      block.text.clear();
      block.hasText = false;
    } else {
      block.text.add(text);
      block.hasText = true;
    }
  }
}
