import type { ServerResponse } from 'node:http';
import type { ServedBy } from '../engine/served-by.js';
import type { Streaming } from '../engine/engine.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { HttpResponse } from '../http/http-types.js';
import type { StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../operations/chat/sourced-chunk.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { waitOrAbort } from '../runtime/delay.js';
import type { JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import { ResponsesStreamWriter } from '../wire/openai-responses/stream-writer.js';
import { dropUnread, encodingOf } from '../wire/sse/sse-response.js';
import type { WriteContext } from '../wire/wire-format.js';
import { CanonicalChunks } from './canonical-chunks.js';
import { NativeEvents } from './native-events.js';

const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

export interface ResponseStreamOptions {
  /** Milliseconds of silence before a sign of life; 0 is off. */
  readonly keepAliveMs: number;
  /** The client's names of tools by those in the view. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
  readonly context: WriteContext;
  /** Keeps the whole response before its last event is sent. */
  readonly keep: (response: JsonObject, provider: string | null) => Promise<boolean>;
}

/**
 * One streamed response on its way to a client. From a provider that has the format the events pass as they are, from any other
 * they are written. Signs of life begin before the provider's first byte; from then on a failure is an event.
 */
export class ResponseStream {
  private readonly writer: ResponsesStreamWriter;
  private readonly chunks: CanonicalChunks;
  private native: NativeEvents | undefined;
  private ping: NodeJS.Timeout | undefined;
  private provider: string | null = null;

  constructor(
    private readonly response: HttpResponse,
    private readonly options: ResponseStreamOptions,
  ) {
    this.writer = new ResponsesStreamWriter(options.context);
    this.chunks = new CanonicalChunks(options.toolNames, options.context.estimatedInputTokens);
  }

  /**
   * @param open begins the stream
   * @throws GatewayError where it fails before anything was sent
   */
  async send(open: () => Promise<Streaming<'chat'>>, setHeaders: (servedBy: ServedBy) => void): Promise<void> {
    const { response } = this;
    const { keepAliveMs } = this.options;
    if (keepAliveMs > 0) this.ping = setInterval(() => this.sendPing(), keepAliveMs);
    let stream: Streaming<'chat'> | undefined;
    try {
      stream = await open();
      if (!response.headersSent) setHeaders(stream);
      this.provider = stream.provider;
      this.begin();
      await this.sendChunks(stream);
      await this.sendEnd();
    } catch (error) {
      stream?.close(error);
      const broken = toGatewayError(error);
      if (!response.headersSent && !isStreamedFailure(broken)) throw error;
      this.begin();
      AccessLog.fieldsOf(response).error_code = broken.code;
      if (!response.destroyed) response.write(this.native?.failed(broken) ?? this.writer.error(broken));
    } finally {
      clearInterval(this.ping);
      stream?.close();
      if (response.headersSent && !response.destroyed) {
        response.end();
        dropUnread(response);
      }
    }
  }

  private begin(): void {
    if (this.response.headersSent) return;
    this.response.writeHead(200, SSE_HEADERS);
    this.response.flushHeaders();
  }

  private sendPing(): void {
    const { response } = this;
    this.begin();
    if (!response.writableNeedDrain && !response.writableEnded) response.write(this.writer.ping());
  }

  private async sendChunks({ chunks, signal }: Streaming<'chat'>): Promise<void> {
    for await (const group of chunks) {
      this.ping?.refresh();
      let frames = '';
      for (const chunk of group) frames += this.frameOf(chunk);
      if (frames !== '') await this.write(frames, signal);
    }
  }

  private frameOf(chunk: StreamedChunk): string {
    // A provider that sends no stream has no frames either: its response is written as any other's.
    const isFrame = chunk instanceof SourcedChunk && chunk.wire === 'openai-responses';
    if (isFrame && (chunk.frame !== '' || this.native !== undefined)) {
      this.native ??= new NativeEvents();
      return this.native.pass(chunk.frame);
    }
    return this.writer.write(this.chunks.read(chunk));
  }

  /** The last event, when the response is kept. */
  private async sendEnd(): Promise<void> {
    const { native, response } = this;
    if (native !== undefined) {
      if (native.response !== undefined) await this.options.keep(native.response, this.provider);
      response.write(native.last);
      return;
    }
    const last = this.writer.write(this.chunks.end()) + this.writer.end();
    const whole = this.writer.response;
    const isKept = whole === undefined || (await this.options.keep(whole, null));
    response.write(isKept ? last : notKept(last));
  }

  private async write(frames: string, signal: CancelSignal): Promise<void> {
    if (!this.response.write(frames, encodingOf(frames))) await drained(this.response, signal);
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

function drained(response: ServerResponse, signal: CancelSignal): Promise<void> {
  return waitOrAbort(signal, (resolve) => {
    response.once('drain', resolve);
    return () => response.off('drain', resolve);
  });
}
