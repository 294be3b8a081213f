import type { CanonicalChunk } from '../operations/chat/canonical/canonical-result.js';
import { toChunks, type StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../operations/chat/sourced-chunk.js';
import { ChunkReader } from '../wire/openai-chat/chunk-reader.js';
import type { StreamWriter, WireFormat, WriteContext } from '../wire/wire-format.js';
import { withClientNames } from './client-tool-names.js';
import { UsageEstimate } from './usage-estimate.js';

/**
 * The frames of a stream in the client's format: the provider's own where it speaks the same, else written from what they mean.
 */
export class WireFrames {
  readonly writer: StreamWriter;
  private reader: ChunkReader | undefined;
  private readonly usage: UsageEstimate;
  private isNative = false;

  /** @param toolNames the client's names of tools that were renamed for OpenAI's format */
  constructor(
    private readonly wire: WireFormat,
    context: WriteContext,
    private readonly toolNames: ReadonlyMap<string, string> | undefined,
  ) {
    this.writer = wire.writeStream(context);
    this.usage = new UsageEstimate(context.estimatedInputTokens);
  }

  /** Text to send for chunks that arrived together; empty where they say nothing in this format. */
  write(group: readonly StreamedChunk[]): string {
    let text = '';
    let events: CanonicalChunk[] = [];
    const flush = (): void => {
      if (events.length > 0) text += this.writer.write(this.usage.read(events));
      events = [];
    };
    for (const chunk of group) {
      if (!(chunk instanceof SourcedChunk)) {
        this.reader ??= new ChunkReader();
        const read: CanonicalChunk[] = [];
        for (const one of toChunks([chunk])) this.reader.read(one, read);
        events.push(...withClientNames(read, this.toolNames));
      } else if (chunk.wire === this.wire.name && (chunk.frame !== '' || this.isNative)) {
        flush();
        this.isNative = true;
        text += chunk.frame;
      } else {
        events.push(...chunk.events);
      }
    }
    flush();
    return text;
  }

  /** After the last chunk of a whole response. */
  end(): string {
    if (this.isNative) return '';
    const events: CanonicalChunk[] = [];
    this.reader?.end(events);
    const last = [...this.usage.read(events), ...this.usage.rest()];
    return (last.length > 0 ? this.writer.write(last) : '') + this.writer.end();
  }
}
