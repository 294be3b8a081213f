import type { ChatCompletionChunk } from './chat-completion.js';

/**
 * A chunk of a stream that only brings text, already printed: all but its text is the same as in the chunk before, so it
 * is neither parsed nor printed again.
 */
export class TextChunk {
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

export type StreamedChunk = ChatCompletionChunk | TextChunk;

/** The chunks as objects, for whoever looks into them. */
export function inFull(chunks: readonly StreamedChunk[]): ChatCompletionChunk[] {
  return chunks.map((chunk) => (chunk instanceof TextChunk ? chunk.toChunk() : chunk));
}
