import type { CanonicalChunk } from './canonical/canonical-result.js';
import type { ChatCompletionChunk, Usage } from './chat-completion.js';
import { SourcedChunk } from './sourced-chunk.js';

/** The member by which the end of a response says how often another deployment went on with it. */
export const RECOVERED = 'x_gateway_recovered';

/** A part of a stream that another deployment goes on with: it follows what was sent, in every client's format. */
export class SplicedChunk extends SourcedChunk {
  /**
   * @param events what it says, with indices that follow those of what was sent
   * @param chunks the same in OpenAI's form
   * @param usage of this deployment alone, where it reports it here
   * @param before what was sent before, for a writer that has written none of it
   */
  constructor(
    events: readonly CanonicalChunk[],
    chunks: readonly ChatCompletionChunk[],
    readonly usage: Usage | undefined,
    readonly before: () => readonly CanonicalChunk[],
  ) {
    super('openai-chat', '', events, chunks);
  }
}
