import type { CanonicalChunk } from './canonical/canonical-result.js';
import type { WireName } from './canonical/wire-name.js';
import type { ChatCompletionChunk } from './chat-completion.js';

/** One event of a stream as the provider sent it. A provider may send several of OpenAI's chunks in one, or none. */
export class SourcedChunk {
  /**
   * @param wire the provider's format
   * @param frame the event as a frame of that format's stream; empty where the format has none of its own
   * @param events what the event says
   * @param chunks the same in OpenAI's form
   */
  constructor(
    readonly wire: WireName,
    readonly frame: string,
    readonly events: readonly CanonicalChunk[],
    readonly chunks: readonly ChatCompletionChunk[],
  ) {}
}
