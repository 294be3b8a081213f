import { hasContent, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { type GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { completionToChunks } from '../../wire/openai-chat/completion-to-chunks.js';
import { parseCompletion } from '../../wire/openai-chat/parse-completion.js';
import { StreamNormaliser, StreamNormaliserOptions } from '../../wire/openai-chat/stream-normaliser.js';
import { SseEvent, SseEventTooLargeError, SseParser } from '../../wire/sse/sse-parser.js';
import { chatStreamOptions, eventTooLarge, formOf } from '../transport/chat-stream-form.js';
import { BodyText, ResponseLimits } from '../transport/response-text.js';
import { type StreamProgress, UpstreamItemStream } from '../transport/upstream-item-stream.js';
import type { UpstreamPool } from '../transport/upstream-pool.js';
import type { UpstreamRequest } from '../transport/upstream-request.js';

/** The chunks of a streamed response in OpenAI's chat format. */
export class UpstreamChunkStream extends UpstreamItemStream<StreamedChunk> {
  private readonly normaliser: StreamNormaliser;
  private readonly parser: SseParser;
  private mode: 'undecided' | 'events' | 'json' = 'undecided';
  private json: BodyText | undefined;
  private hasContent = false;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
    private readonly normaliserOptions: StreamNormaliserOptions,
  ) {
    super(pool, request, chatStreamOptions(limits));
    this.normaliser = new StreamNormaliser(normaliserOptions);
    this.parser = new SseParser(limits.maxResponseBytes);
  }

  protected override read(bytes: Buffer, items: StreamedChunk[]): StreamProgress {
    if (this.mode === 'undecided') this.decide(bytes);
    if (this.mode === 'undecided') return 'waiting';
    if (this.mode === 'json') {
      this.json?.add(bytes);
      return 'begun';
    }
    this.normalise(this.parse(bytes), items);
    if (this.normaliser.done) return 'over';
    if (this.normaliser.nearEnd) return 'ending';
    this.hasContent ||= items.some(hasContent);
    return this.hasContent ? 'begun' : 'waiting';
  }

  protected override readEnd(items: StreamedChunk[]): void {
    if (this.mode === 'json') {
      items.push(...completionToChunks(parseCompletion(String(this.json), this.normaliserOptions)));
      return;
    }
    this.normalise(this.parser.end(), items);
    this.normaliser.end(items);
  }

  protected override isContent(item: StreamedChunk): boolean {
    return hasContent(item);
  }

  /** Where every choice has its finish reason, only the usage and `[DONE]` can be missing. */
  protected override readBreak(items: StreamedChunk[]): boolean {
    if (!this.normaliser.whole) return false;
    this.normaliser.end(items);
    return true;
  }

  /** Retryable: no response is that long, so the provider repeats itself endlessly. */
  protected override tooLarge(maxBytes: number): GatewayError {
    return upstreamError({
      message: `The upstream provider sent a stream larger than the gateway takes (${maxBytes} bytes).`,
    });
  }

  private decide(bytes: Buffer): void {
    this.mode = formOf(bytes) ?? 'undecided';
    if (this.mode === 'json') this.json = new BodyText(this.limits.maxResponseBytes);
  }

  private parse(bytes: Buffer): SseEvent[] {
    try {
      return this.parser.push(bytes);
    } catch (cause) {
      if (!(cause instanceof SseEventTooLargeError)) throw cause;
      throw eventTooLarge(this.limits.maxResponseBytes, cause);
    }
  }

  private normalise(events: readonly SseEvent[], items: StreamedChunk[]): void {
    for (const event of events) {
      this.normaliser.push(event, items);
    }
  }
}
