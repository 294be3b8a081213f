import { placeOf, type ServedBy } from '../engine/served-by.js';
import type { Streaming } from '../engine/engine.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { HttpResponse } from '../http/http-types.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { SplicedChunk } from '../operations/chat/spliced-chunk.js';
import type { PreferredPlace } from '../operations/operation.js';
import { SourcedChunk } from '../operations/chat/sourced-chunk.js';
import type { JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import { ResponsesStreamWriter } from '../wire/openai-responses/stream-writer.js';
import type { WriteContext } from '../wire/wire-format.js';
import { logStream } from '../model-endpoint/served-by-headers.js';
import { CanonicalChunks } from '../model-endpoint/canonical-chunks.js';
import { WireEventSender } from '../model-endpoint/wire-event-sender.js';
import { NativeEvents } from './native-events.js';

/** Options of a stream of the Responses API. */
export interface ResponseStreamOptions {
  /** Milliseconds of silence before a sign of life; 0 is off. */
  readonly keepAliveMs: number;
  /** The client's names of tools by those in the view. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
  readonly context: WriteContext;
  /** Keeps the whole response before its last event is sent. */
  readonly keep: (response: JsonObject, place: PreferredPlace | null) => Promise<boolean>;
  /** The id under which the response is kept, in place of the provider's. */
  readonly ownId?: string;
  /** Called with all frames of events, before they are sent. */
  readonly record?: (frames: string) => void;
  /** Called with why a response is not completed. */
  readonly failed?: (error: GatewayError) => Promise<void>;
}

/**
 * One streamed response on its way to a client. From a provider that has the format the events pass as they are, from any other
 * they are written. Signs of life begin before the provider's first byte; from then on a failure is an event.
 */
export class ResponseStream {
  private writer: ResponsesStreamWriter;
  private readonly chunks: CanonicalChunks;
  private native: NativeEvents | undefined;
  private readonly sender: WireEventSender;
  private place: PreferredPlace | null = null;

  constructor(
    private readonly response: HttpResponse,
    private readonly options: ResponseStreamOptions,
  ) {
    this.writer = new ResponsesStreamWriter(options.context);
    this.chunks = new CanonicalChunks(options.toolNames, () => options.context.estimatedInputTokens);
    const signs = {
      ping: () => this.writer.ping(),
      error: (error: GatewayError) => this.native?.failed(error) ?? this.writer.error(error),
    };
    this.sender = new WireEventSender(response, signs, options.keepAliveMs);
  }

  /**
   * @param open begins the stream
   * @throws GatewayError where it fails before anything was sent
   */
  async send(open: () => Promise<Streaming<'chat'>>, setHeaders: (servedBy: ServedBy) => void): Promise<void> {
    const { sender } = this;
    let stream: Streaming<'chat'> | undefined;
    try {
      stream = await open();
      if (!sender.hasBegun) setHeaders(stream);
      this.place = placeOf(stream);
      sender.begin();
      await this.sendChunks(stream);
      await this.sendEnd();
    } catch (error) {
      stream?.close(error);
      const broken = toGatewayError(error);
      await this.options.failed?.(broken);
      if (!sender.hasBegun && !isStreamedFailure(broken)) throw error;
      sender.begin();
      AccessLog.fieldsOf(this.response).error_code = broken.code;
      sender.fail(broken);
    } finally {
      stream?.close();
      if (stream !== undefined) logStream(this.response, stream.facts);
      sender.end();
    }
  }

  private async sendChunks({ chunks, signal }: Streaming<'chat'>): Promise<void> {
    for await (const group of chunks) {
      let frames = '';
      for (const chunk of group) frames += this.frameOf(chunk);
      this.options.record?.(frames);
      await this.sender.send(frames, signal);
    }
  }

  private frameOf(chunk: StreamedChunk): string {
    if (chunk instanceof SplicedChunk && this.native !== undefined) {
      // The writer goes on where the provider's own events ended.
      this.writer = new ResponsesStreamWriter(this.options.context, this.native.place);
      this.writer.write(chunk.before());
      this.writer.continueAt(this.native.place.events);
      this.native = undefined;
    }
    // A provider that sends no stream has no frames either: its response is written as any other's.
    const isFrame = chunk instanceof SourcedChunk && chunk.wire === 'openai-responses';
    if (isFrame && (chunk.frame !== '' || this.native !== undefined)) {
      this.native ??= new NativeEvents(this.options.ownId);
      return this.native.pass(chunk.frame);
    }
    return this.writer.write(this.chunks.read(chunk));
  }

  /** The last event, when the response is kept. */
  private async sendEnd(): Promise<void> {
    const { native, sender } = this;
    if (native !== undefined) {
      if (native.response !== undefined) await this.options.keep(native.response, this.place);
      sender.sendLast(native.last);
      return;
    }
    const last = this.writer.write(this.chunks.end()) + this.writer.end();
    this.options.record?.(last);
    const whole = this.writer.response;
    const isKept = whole === undefined || (await this.options.keep(whole, null));
    sender.sendLast(isKept ? last : notKept(last));
  }
}

/** The last events, of which the very last says that the response is not kept. */
function notKept(frames: string): string {
  const at = frames.lastIndexOf('data: ') + 'data: '.length;
  const event = JSON.parse(frames.slice(at)) as { response: JsonObject };
  return `${frames.slice(0, at)}${JSON.stringify({ ...event, response: { ...event.response, store: false } })}\n\n`;
}

/** Agents compact the conversation at an overflow, and read it from the events alone, as OpenAI sends it. */
function isStreamedFailure({ code }: GatewayError): boolean {
  return code === 'context_length_exceeded';
}
