import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { resultToChunks } from '../../operations/chat/canonical/result-to-chunks.js';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import { hasContent } from '../../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../../operations/chat/sourced-chunk.js';
import { ChunkWriter } from '../../wire/openai-chat/chunk-writer.js';
import { invalidResponse } from './invalid-response.js';
import { parseWithExactArguments } from '../../wire/exact-arguments.js';
import { isMalformed, mayHoldContent } from '../../wire/malformed-event.js';
import type { ProviderWire, ReadContext, StreamReader, WireEvent } from '../../wire/wire-format.js';
import { chatStreamOptions, formOf } from '../transport/chat-stream-form.js';
import { BodyText, type ResponseLimits } from '../transport/response-text.js';
import { type StreamProgress, UpstreamItemStream } from '../transport/upstream-item-stream.js';
import type { UpstreamPool } from '../transport/upstream-pool.js';
import type { UpstreamRequest } from '../transport/upstream-request.js';
import { type EventFraming, type FramedEvent, framingOf, type FramingName } from './event-framing.js';
import { encodeEvent } from '../../wire/sse/sse-encoder.js';

/** How the events of a stream are found and read. */
export interface WireStreamOptions {
  readonly wire: ProviderWire;
  readonly context: ReadContext;
  readonly framing: FramingName;
  /** The event within an event, where a provider wraps those of another's format; undefined leaves it out. */
  readonly unwrap?: ((event: WireEvent) => WireEvent | undefined) | undefined;
  /** Whether a client of the same format does not get an event; undefined for none. */
  readonly isHidden?: ((event: WireEvent) => boolean) | undefined;
  /** Called when an event that is no JSON is left out. */
  readonly onSkippedEvent?: (() => void) | undefined;
}

/** Events that are held until the first content; of more, signs of life are left out. */
const MAX_HELD_EVENTS = 256;

/** The events of a streamed response in a provider's own format, each with its meaning and with OpenAI's chunks. */
export class WireChunkStream extends UpstreamItemStream<SourcedChunk> {
  private readonly framing: EventFraming;
  private readonly reader: StreamReader;
  private readonly writer: ChunkWriter;
  private json: BodyText | undefined;
  private isDecided = false;
  private firstEventCame = false;
  private hasContent = false;
  private hasCalls = false;
  private hasSkipped = false;
  private hasEnded = false;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
    private readonly stream: WireStreamOptions,
  ) {
    super(pool, request, chatStreamOptions(limits));
    const { wire, context, framing } = stream;
    this.framing = framingOf(framing, limits.maxResponseBytes);
    this.reader = wire.readStream(context);
    this.writer = new ChunkWriter({ model: context.upstreamModel, now: context.now });
  }

  protected override read(bytes: Buffer, items: SourcedChunk[]): StreamProgress {
    if (!this.isDecided && this.stream.framing === 'sse') this.decide(bytes);
    if (this.json !== undefined) {
      this.json.add(bytes);
      return 'begun';
    }
    this.readEvents(this.framing.push(bytes), items);
    if (this.reader.isDone) {
      this.finish(items);
      return 'over';
    }
    if (this.reader.isWhole) return 'ending';
    if (!this.hasContent) {
      this.hasContent = items.some(hasContent);
      // They reach the client in their places, but a provider that sends nothing else must not fill memory.
      if (!this.hasContent && items.length > MAX_HELD_EVENTS) dropPings(items);
    }
    return this.hasContent ? 'begun' : 'waiting';
  }

  protected override readEnd(items: SourcedChunk[]): void {
    if (this.json !== undefined) {
      this.readWhole(String(this.json), items);
      return;
    }
    this.readEvents(this.framing.end(), items);
    this.finish(items);
  }

  protected override isContent(item: SourcedChunk): boolean {
    return hasContent(item);
  }

  protected override readBreak(items: SourcedChunk[]): boolean {
    if (!this.reader.isWhole) return false;
    this.finish(items);
    return true;
  }

  private decide(bytes: Buffer): void {
    const form = formOf(bytes);
    if (form === 'json') this.json = new BodyText(this.limits.maxResponseBytes);
    this.isDecided = form !== undefined;
  }

  private readEvents(events: readonly FramedEvent[], items: SourcedChunk[]): void {
    for (const framed of events) {
      if (this.hasEnded || this.reader.isDone) return;
      const event = framed.data === '' ? undefined : this.unwrapped(framed);
      const chunks: CanonicalChunk[] = [];
      if (event !== undefined) {
        this.firstEventCame = true;
        if (!this.readEvent(event, chunks)) continue;
      }
      // Comments before the first event are no response yet.
      if (!this.firstEventCame) continue;
      const isHidden = event !== undefined && this.stream.isHidden?.(event) === true;
      this.emit(isHidden ? '' : (event?.frame ?? framed.frame), chunks, items);
    }
  }

  /** @returns false for an event that is left out */
  private readEvent(event: FramedEvent, chunks: CanonicalChunk[]): boolean {
    try {
      this.reader.read(event, chunks);
    } catch (error) {
      const maySkip = !this.hasSkipped && !this.hasCalls && event.event !== 'error';
      if (!maySkip || !isMalformed(event.data) || mayHoldContent(event.data)) throw error;
      this.hasSkipped = true;
      this.stream.onSkippedEvent?.();
      return false;
    }
    for (const chunk of chunks) {
      if (chunk.type === 'block_start' && chunk.block.type === 'tool_call') this.hasCalls = true;
    }
    return true;
  }

  private unwrapped(framed: FramedEvent): FramedEvent | undefined {
    const { unwrap } = this.stream;
    if (unwrap === undefined) return framed;
    const event = unwrap(framed);
    return event === undefined ? undefined : { ...event, frame: encodeEvent(event.event, event.data) };
  }

  /** @throws GatewayError where the response is not whole */
  private finish(items: SourcedChunk[]): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    // A client of the same format gets the provider's own frames, and an end in any case.
    const frame = this.reader.isDone ? '' : (this.stream.wire.endFrame ?? '');
    const chunks: CanonicalChunk[] = [];
    this.reader.end(chunks);
    this.emit(frame, chunks, items);
  }

  private readWhole(text: string, items: SourcedChunk[]): void {
    let body: unknown;
    try {
      body = parseWithExactArguments(text);
    } catch (cause) {
      throw invalidResponse(text, cause);
    }
    const { wire, context } = this.stream;
    this.hasEnded = true;
    this.emit('', resultToChunks(wire.readResponse(body, context)), items);
  }

  private emit(frame: string, events: readonly CanonicalChunk[], items: SourcedChunk[]): void {
    if (frame === '' && events.length === 0) return;
    const chunks: ChatCompletionChunk[] = [];
    for (const event of events) this.writer.write(event, chunks);
    items.push(new SourcedChunk(this.stream.wire.name, frame, events, chunks));
  }
}

/** Leaves out those that say nothing else. */
function dropPings(items: SourcedChunk[]): void {
  const kept = items.filter(({ frame, events }) => {
    return events.length === 0 ? !frame.startsWith(':') : events.some(({ type }) => type !== 'ping');
  });
  if (kept.length < items.length) items.splice(0, items.length, ...kept);
}
