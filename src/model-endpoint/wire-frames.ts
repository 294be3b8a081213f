import type { CanonicalChunk } from '../operations/chat/canonical/canonical-result.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { SplicedChunk } from '../operations/chat/spliced-chunk.js';
import { SourcedChunk } from '../operations/chat/sourced-chunk.js';
import type { StreamWriter, WireFormat, WriteContext } from '../wire/wire-format.js';
import { CanonicalChunks } from './canonical-chunks.js';

/**
 * The frames of a stream in the client's format: the provider's own frames if it has the same format, else translated ones.
 */
export class WireFrames {
  readonly writer: StreamWriter;
  private readonly chunks: CanonicalChunks;
  private isNative = false;

  /** @param toolNames the client's names of tools that were renamed for OpenAI's format */
  constructor(
    private readonly wire: WireFormat,
    context: WriteContext,
    toolNames: ReadonlyMap<string, string> | undefined,
  ) {
    this.writer = wire.writeStream(context);
    this.chunks = new CanonicalChunks(toolNames, () => context.estimatedInputTokens);
  }

  /** Text to send for chunks that arrived together; empty where they say nothing in this format. */
  write(group: readonly StreamedChunk[]): string {
    let text = '';
    let events: CanonicalChunk[] = [];
    const flush = (): void => {
      if (events.length > 0) text += this.writer.write(events);
      events = [];
    };
    for (const chunk of group) {
      if (chunk instanceof SplicedChunk && this.isNative) {
        // The writer goes on where the provider's own frames ended.
        flush();
        this.isNative = false;
        this.writer.write(chunk.before());
      }
      const isFrame = chunk instanceof SourcedChunk && chunk.wire === this.wire.name;
      if (isFrame && (chunk.frame !== '' || this.isNative)) {
        flush();
        this.isNative = true;
        text += chunk.frame;
      } else {
        events.push(...this.chunks.read(chunk));
      }
    }
    flush();
    return text;
  }

  /** Frames after the last chunk of a whole response. */
  end(): string {
    if (this.isNative) return '';
    const last = this.chunks.end();
    return (last.length > 0 ? this.writer.write(last) : '') + this.writer.end();
  }
}
