import type { CanonicalChunk } from '../operations/chat/canonical/canonical-result.js';
import { toChunks, type StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../operations/chat/sourced-chunk.js';
import { ChunkReader } from '../wire/openai-chat/chunk-reader.js';
import { withClientNames } from './client-tool-names.js';
import { UsageEstimate } from './usage-estimate.js';

/** Reads the chunks of any provider. */
export class CanonicalChunks {
  private readonly reader = new ChunkReader();
  private readonly usage: UsageEstimate;
  private hasOwnEnd = false;

  /**
   * @param toolNames the client's names of tools by those in OpenAI's form, which is what providers of that format had
   * @param inputTokens an estimate of the prompt, asked for where a provider reports no usage
   */
  constructor(
    private readonly toolNames: ReadonlyMap<string, string> | undefined,
    inputTokens: () => number,
  ) {
    this.usage = new UsageEstimate(inputTokens);
  }

  read(chunk: StreamedChunk): readonly CanonicalChunk[] {
    if (chunk instanceof SourcedChunk) {
      this.hasOwnEnd = true;
      return this.usage.read(chunk.events);
    }
    const events: CanonicalChunk[] = [];
    for (const each of toChunks([chunk])) this.reader.read(each, events);
    return withClientNames(this.usage.read(events), this.toolNames);
  }

  /** The bytes after the last chunk of a complete response. */
  end(): readonly CanonicalChunk[] {
    const events: CanonicalChunk[] = [];
    if (!this.hasOwnEnd) this.reader.end(events);
    return [...this.usage.read(events), ...this.usage.rest()];
  }
}
