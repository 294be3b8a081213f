import type { GatewayError } from '../errors/gateway-error.js';
import type { HttpResponse } from '../http/http-types.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { drained, dropUnread, SSE_HEADERS, writePart } from '../wire/sse/sse-response.js';
import type { StreamWriter } from '../wire/wire-format.js';

/**
 * Sends the events of one stream. During silence it sends a sign of life in the client's format, also before the provider's first
 * byte: the response then begins with it, and a failure becomes an event.
 */
export class WireEventSender {
  private readonly ping: NodeJS.Timeout | undefined;

  /**
   * @param keepAliveMs of silence before a sign of life; 0 is off
   * @param headers beside those of server-sent events, or in their place
   */
  constructor(
    private readonly response: HttpResponse,
    private readonly writer: Pick<StreamWriter, 'ping' | 'error'>,
    keepAliveMs: number,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {
    if (keepAliveMs > 0) this.ping = setInterval(() => this.signOfLife(), keepAliveMs);
  }

  /** Whether status and headers have been sent. */
  get hasBegun(): boolean {
    return this.response.headersSent;
  }

  begin(): void {
    if (this.hasBegun || this.response.destroyed) return;
    this.response.writeHead(200, { ...SSE_HEADERS, ...this.headers });
    this.response.flushHeaders();
  }

  /** Waits while the client's socket is full. */
  async send(frames: string, signal: CancelSignal): Promise<void> {
    if (frames === '' || this.response.destroyed) return;
    this.ping?.refresh();
    if (!writePart(this.response, frames)) await drained(this.response, signal);
  }

  /** The last frames. A client that does not read them is dropped once the response has ended. */
  sendLast(frames: string): void {
    if (frames !== '' && !this.response.destroyed) writePart(this.response, frames);
  }

  fail(error: GatewayError): void {
    if (!this.response.destroyed) writePart(this.response, this.writer.error(error));
  }

  end(): void {
    clearInterval(this.ping);
    if (!this.hasBegun) return;
    if (!this.response.destroyed) this.response.end();
    dropUnread(this.response);
  }

  private signOfLife(): void {
    const { response } = this;
    if (response.destroyed || response.writableNeedDrain || response.writableEnded) return;
    this.begin();
    writePart(response, this.writer.ping());
  }
}
