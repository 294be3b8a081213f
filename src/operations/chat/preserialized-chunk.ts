import type { CanonicalChunk } from './canonical/canonical-result.js';
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

/** Whether a chunk brings a part of the response, as opposed to its role, its usage or a sign of life. */
export function hasContent(chunk: StreamedChunk): boolean {
  if (chunk instanceof PreserializedChunk) return true;
  if (chunk instanceof SourcedChunk) return chunk.events.some(isContent);
  return chunk.choices.some(({ delta, finish_reason: reason }) => {
    if (reason !== null) return true;
    for (const field in delta) if (field !== 'role' && !isEmpty(delta[field])) return true;
    return false;
  });
}

function isEmpty(value: unknown): boolean {
  return value == null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** The beginning of a text may come long before the text; that of thinking or of a call shows that the model works. */
function isContent(event: CanonicalChunk): boolean {
  switch (event.type) {
    case 'delta':
      return event.text !== '';
    case 'block_start':
      return event.block.type !== 'text' && event.block.type !== 'refusal';
    case 'signature':
    case 'block_extras':
    case 'logprobs':
    case 'finish':
    case 'end':
      return true;
    default:
      return false;
  }
}

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
