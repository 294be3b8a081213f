import type { ChatCompletionChunk } from './chat-completion.js';
import { SourcedChunk } from './sourced-chunk.js';

/**
 * A chunk of a stream that has only text, already serialized: everything else is the same as in the chunk before, so it
 * is not parsed or serialized again.
 */
export class PreserializedChunk {
  /**
   * @param before what stands before the text in the chunk's JSON
   * @param text of the one choice, without a character that JSON would escape
   * @param after what follows the text
   */
  constructor(
    private readonly before: string,
    readonly text: string,
    private readonly after: string,
  ) {}

  get json(): string {
    return this.before + this.text + this.after;
  }

  toChunk(): ChatCompletionChunk {
    return JSON.parse(this.json) as ChatCompletionChunk;
  }
}

export type StreamedChunk = ChatCompletionChunk | PreserializedChunk | SourcedChunk;

/** The chunks as objects, for code that reads their content. */
export function toChunks(chunks: readonly StreamedChunk[]): ChatCompletionChunk[] {
  return chunks.flatMap((chunk) => {
    if (chunk instanceof SourcedChunk) return chunk.chunks;
    return chunk instanceof PreserializedChunk ? [chunk.toChunk()] : [chunk];
  });
}

/**
 * The chunks of a stream in the contract's order (role first, a finish chunk for each choice, usage last), grouped by
 * what arrived together, so that one network read costs one write. The iterator throws a GatewayError when the
 * stream breaks; returning it early (`break`) aborts the upstream request.
 */
export type ChunkStream = AsyncIterable<readonly StreamedChunk[]>;
