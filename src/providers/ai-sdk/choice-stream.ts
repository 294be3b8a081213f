import type { ReadableStreamReadResult } from 'node:stream/web';
import type { LanguageModelV3StreamPart } from '@ai-sdk/provider';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import type { ChoiceChunks } from './to-chunks.js';

/** Chunks of one group, beyond which a reader that has much to catch up with is given what there is. */
const GROUP_SIZE = 64;

/**
 * Reads the parts of one choice and groups its chunks by what arrived together, so that one network read costs one write.
 * It reads only while it is asked, so that a client that reads slowly holds the upstream back.
 */
export class ChoiceStream {
  private readonly reader: ReadableStreamDefaultReader<LanguageModelV3StreamPart>;
  private pending: Promise<ReadableStreamReadResult<LanguageModelV3StreamPart>> | undefined;
  private isOver = false;
  private failure: { readonly error: unknown } | undefined;

  /** @param onPart called with every part, before it is mapped */
  constructor(
    stream: ReadableStream<LanguageModelV3StreamPart>,
    readonly chunks: ChoiceChunks,
    private readonly onPart: (part: LanguageModelV3StreamPart) => void,
  ) {
    this.reader = stream.getReader();
  }

  /** The next chunks, at least one; undefined at the end. Rejects when the stream breaks or ends too soon. */
  async next(): Promise<ChatCompletionChunk[] | undefined> {
    this.throwIfFailed();
    const group: ChatCompletionChunk[] = [];
    while (group.length === 0) {
      if (this.isOver) return undefined;
      this.take(await this.read(), group);
    }
    await this.takeWhatIsThere(group);
    return group;
  }

  /** What the next call will reject with is thrown at once, if it is known already. */
  throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  async cancel(): Promise<void> {
    this.isOver = true;
    this.pending?.catch(() => undefined);
    await this.reader.cancel().catch(() => undefined);
  }

  private async takeWhatIsThere(group: ChatCompletionChunk[]): Promise<void> {
    const turn = new Promise<undefined>((resolve) => {
      setImmediate(resolve, undefined);
    });
    try {
      while (!this.isOver && group.length < GROUP_SIZE) {
        const result = await Promise.race([this.peek(), turn]);
        if (result === undefined) return;
        this.pending = undefined;
        this.take(result, group);
      }
    } catch (error) {
      // It belongs to the next call: what came before it is still delivered.
      this.failure = { error };
    }
  }

  private read(): Promise<ReadableStreamReadResult<LanguageModelV3StreamPart>> {
    const read = this.peek();
    this.pending = undefined;
    return read;
  }

  private peek(): Promise<ReadableStreamReadResult<LanguageModelV3StreamPart>> {
    this.pending ??= this.reader.read();
    return this.pending;
  }

  private take(result: ReadableStreamReadResult<LanguageModelV3StreamPart>, group: ChatCompletionChunk[]): void {
    if (result.done) {
      this.isOver = true;
      this.chunks.end();
      return;
    }
    this.onPart(result.value);
    group.push(...this.chunks.push(result.value));
  }
}
