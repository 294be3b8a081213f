import type { CanonicalChunk } from '../operations/chat/canonical/canonical-result.js';
import { UsageEstimate } from '../model-endpoint/usage-estimate.js';
import { toChunks, type StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../operations/chat/sourced-chunk.js';
import { ChunkReader } from '../wire/openai-chat/chunk-reader.js';

/** Reads the chunks of any provider. */
export class CanonicalChunks {
  private readonly reader = new ChunkReader();
  private readonly usage: UsageEstimate;
  private hasOwnEnd = false;

  /**
   * @param toolNames the client's names of tools by those in the view, which is what providers of OpenAI's format had
   * @param estimatedInputTokens of the prompt, for a provider that reports no usage
   */
  constructor(
    private readonly toolNames: ReadonlyMap<string, string> | undefined,
    estimatedInputTokens: number,
  ) {
    this.usage = new UsageEstimate(estimatedInputTokens);
  }

  read(chunk: StreamedChunk): readonly CanonicalChunk[] {
    if (chunk instanceof SourcedChunk) {
      this.hasOwnEnd = true;
      return this.usage.read(chunk.events);
    }
    const events: CanonicalChunk[] = [];
    for (const each of toChunks([chunk])) this.reader.read(each, events);
    const read = this.usage.read(events);
    return this.toolNames === undefined ? read : read.map((event) => this.renamed(event));
  }

  end(): readonly CanonicalChunk[] {
    const events: CanonicalChunk[] = [];
    if (!this.hasOwnEnd) this.reader.end(events);
    return [...this.usage.read(events), ...this.usage.rest()];
  }

  private renamed(event: CanonicalChunk): CanonicalChunk {
    if (event.type !== 'block_start' || event.block.type !== 'tool_call') return event;
    const name = this.toolNames?.get(event.block.name);
    return name === undefined ? event : { ...event, block: { ...event.block, name } };
  }
}
