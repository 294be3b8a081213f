import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { BodyDecoder, bodyEncoding } from './body-decoder.js';
import { PhaseTimer } from './phase-timer.js';
import { isClosedSocket, phaseTimeout, transportError } from './transport-error.js';
import type { UpstreamClient, UpstreamPool } from './upstream-pool.js';
import type { FailureOrigin, RepeatableBody, ResponseSink, UpstreamRequest } from './upstream-request.js';

/** The maximum of bytes after the end of the events, such as the last bytes of a chunked body, before the socket is closed. */
const LINGER_MS = 1000;
const LINGER_BYTES = 65_536;

/**
 * One request and its response: timeouts by phase, abort, decompression, back-pressure, and one replay when a reused
 * connection turns out to be closed.
 */
export class UpstreamExchange implements Dispatcher.DispatchHandler {
  private readonly times = new PhaseTimer((phase, milliseconds) =>
    this.fail(phaseTimeout(phase, milliseconds), 'connection'),
  );
  /** Closes the socket of a server that sends further bytes after the end. */
  private lingerTimer: NodeJS.Timeout | undefined;
  private controller: Dispatcher.DispatchController | undefined;
  private client: UpstreamClient | undefined;
  private decoder: BodyDecoder | undefined;
  /** Whether a read restarts the time of the phase. */
  private readsCount = true;
  private reusedSocket = false;
  private gotByte = false;
  private replayed = false;
  private settled = false;
  private lingerBytes = 0;
  /** Whether the sink, or the decoder, has asked for a pause. */
  private sinkPaused = false;
  private decoderFull = false;
  private readonly onAbort = (): void => {
    this.fail(this.request.signal.reason, 'abort');
  };

  constructor(
    private readonly pool: UpstreamPool,
    private readonly request: UpstreamRequest,
    private readonly sink: ResponseSink,
  ) {}

  send(): void {
    const { signal } = this.request;
    if (signal.aborted) {
      this.onAbort();
      return;
    }
    signal.addEventListener('abort', this.onAbort, { once: true });
    this.dispatch(this.pool.acquire());
  }

  /** The response has begun: from now on silence is measured between reads. */
  firstByteCame(): void {
    this.times.enter('idle', this.request.timeouts.idle);
  }

  /** Nothing essential is left to come, so the wait between reads becomes shorter. */
  expectEnd(milliseconds: number): void {
    if (milliseconds < this.times.milliseconds) this.times.enter('idle', milliseconds);
  }

  /** Bounds the rest of the exchange, whether or not bytes keep coming. */
  endWithin(milliseconds: number): void {
    this.times.enter('idle', milliseconds);
    this.readsCount = false;
  }

  /** Stops reading until `resume`. The upstream is held back, and its silence is not measured. */
  pause(): void {
    if (this.sinkPaused || this.settled) return;
    this.sinkPaused = true;
    this.times.pause();
    if (this.decoder === undefined) this.controller?.pause();
    else this.decoder.pause();
  }

  /** Must not be called while `data` runs. */
  resume(): void {
    if (!this.sinkPaused || this.settled) return;
    this.sinkPaused = false;
    this.times.resume();
    if (this.decoder === undefined) this.controller?.resume();
    else this.decoder.resume();
  }

  /** The rest is not needed. The socket is closed, and the sink is not called again. */
  cancel(): void {
    if (this.settle()) this.destroy(new Error('The response is no longer needed.'));
  }

  /**
   * The sink has all it needs. The little that may follow is read and dropped, so that the connection can be reused; it is
   * closed when the server sends more.
   */
  finish(): void {
    if (!this.settle()) return;
    this.lingerTimer = setTimeout(() => this.destroy(new Error('The server went on after the end.')), LINGER_MS);
    this.lingerTimer.unref();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.settled) return;
    this.controller = controller;
    this.reusedSocket = this.client?.claimSocket() ?? false;
    this.times.enter('firstByte', this.request.timeouts.firstByte);
  }

  onResponseStarted(): void {
    this.gotByte = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.settled) return;
    const contentEncoding = headers['content-encoding'];
    const encoding = bodyEncoding(contentEncoding);
    if (encoding === 'unknown') {
      this.fail(
        upstreamError({ message: 'The upstream provider answered in an unknown content-encoding.' }),
        'response',
      );
      return;
    }
    if (encoding === 'encoded') this.decoder = this.openDecoder(String(contentEncoding));
    this.guard(() => {
      this.request.onHeaders?.(headers);
      this.sink.start(status, headers);
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) {
      this.lingerBytes += chunk.length;
      if (this.lingerBytes > LINGER_BYTES) this.destroy(new Error('The server went on after the end.'));
      return;
    }
    // Keep-alive comments before the first event are activity as well.
    if (this.readsCount && this.times.phase !== 'connect') this.times.restart();
    if (this.decoder === undefined) this.deliver(chunk);
    else if (!this.decoder.write(chunk)) {
      this.decoderFull = true;
      controller.pause();
    }
  }

  onResponseEnd(): void {
    // From now on the connection may serve another call, so this one must not use it.
    if (this.client !== undefined) this.pool.release(this.client);
    this.client = undefined;
    this.controller = undefined;
    if (this.settled) {
      clearTimeout(this.lingerTimer);
      return;
    }
    if (this.decoder === undefined) this.complete();
    else this.decoder.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.settled) {
      this.destroy(error);
      return;
    }
    if (this.reusedSocket && !this.gotByte && !this.replayed && isClosedSocket(error)) {
      // The server closed the idle connection before it received the request, so nothing is done twice.
      this.replayed = true;
      this.destroy(error);
      this.dispatch(this.pool.acquireFresh());
      return;
    }
    // The gateway's own fault, such as a file of the body that cannot be read.
    if (error instanceof GatewayError) this.fail(error, 'response');
    else this.fail(transportError(error, this.times.phase, this.gotByte), 'connection');
  }

  private dispatch(client: UpstreamClient): void {
    const { method, path, headers, body, timeouts } = this.request;
    this.client = client;
    this.controller = undefined;
    this.reusedSocket = client.hasServed;
    this.times.enter('connect', timeouts.connect);
    const payload =
      body === null || Buffer.isBuffer(body) ? body : Readable.from(this.upload(body), { objectMode: false });
    client.dispatch({ method, path, headers, body: payload }, this);
  }

  /** While a body is being sent, the provider is not silent. */
  private async *upload(body: RepeatableBody): AsyncGenerator<Buffer> {
    for await (const chunk of body.open()) {
      yield chunk;
      if (!this.settled) this.times.restart();
    }
  }

  private openDecoder(contentEncoding: string): BodyDecoder {
    return new BodyDecoder(contentEncoding, {
      onData: (chunk) => {
        if (!this.settled) this.deliver(chunk);
      },
      onEnd: () => {
        if (!this.settled) this.complete();
      },
      onError: (error) => this.fail(transportError(error, 'idle', true), 'connection'),
      onDrain: () => {
        if (!this.decoderFull) return;
        this.decoderFull = false;
        this.controller?.resume();
      },
    });
  }

  private deliver(chunk: Buffer): void {
    try {
      this.sink.data(chunk);
    } catch (error) {
      this.fail(error, 'response');
    }
  }

  private complete(): void {
    this.guard(() => {
      this.sink.end();
      this.settle();
    });
  }

  private guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(error, 'response');
    }
  }

  private fail(error: unknown, origin: FailureOrigin): void {
    if (!this.settle()) return;
    this.destroy(new Error('The call has ended.'));
    this.sink.fail(error, origin);
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.times.stop();
    this.request.signal.removeEventListener('abort', this.onAbort);
    this.decoder?.destroy();
    return true;
  }

  private destroy(reason: Error): void {
    this.times.stop();
    clearTimeout(this.lingerTimer);
    const { client } = this;
    this.client = undefined;
    this.controller = undefined;
    if (client !== undefined) this.pool.discard(client, reason);
  }
}
