import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import type { Timeouts } from '../../config/gateway-config.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { BodyDecoder, bodyEncoding } from './body-decoder.js';
import { isClosedSocket, Phase, phaseTimeout, transportError } from './transport-error.js';
import type { UpstreamClient, UpstreamPool } from './upstream-pool.js';

/** Who ended an exchange: the caller's signal, the connection (or its silence), or what the answer said. */
export type FailureOrigin = 'abort' | 'connection' | 'answer';

/** Takes an answer. Either `end` or `fail` is called, once, and nothing after it. */
export interface ResponseSink {
  /** Status and headers of the final answer. Must call `firstByteCame` of the exchange when the wait is over. */
  start(status: number, headers: IncomingHttpHeaders): void;
  /** Decoded bytes. What it throws fails the exchange. */
  data(chunk: Buffer): void;
  /** The whole body came. What it throws fails the exchange. */
  end(): void;
  /** @param error a GatewayError, or the reason of an abort */
  fail(error: unknown, origin: FailureOrigin): void;
}

/** Milliseconds for each phase of a request. */
export type PhaseTimeouts = Pick<Timeouts, 'connect' | 'firstByte' | 'idle'>;

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Flat list of names and values. */
  readonly headers: string[];
  readonly body: Buffer | null;
  /** Milliseconds; Infinity leaves a phase to the signal. */
  readonly timeouts: PhaseTimeouts;
  readonly signal: CancelSignal;
}

/** What may still come after the end of the events, such as the last bytes of a chunked body, before the socket is dropped. */
const LINGER_MS = 1000;
const LINGER_BYTES = 65_536;

/**
 * One request and its answer: times by phase, abort, decompression, back-pressure, and one replay when a connection that
 * had been kept alive turns out to be closed.
 */
export class UpstreamExchange implements Dispatcher.DispatchHandler {
  private phase: Phase = 'connect';
  private phaseMs = 0;
  private timer: NodeJS.Timeout | undefined;
  /** When the phase is over and when the timer fires, by the monotonic clock: one timer serves phase after phase. */
  private phaseEndsAt = 0;
  private firesAt = 0;
  private controller: Dispatcher.DispatchController | undefined;
  private client: UpstreamClient | undefined;
  private decoder: BodyDecoder | undefined;
  /** Whether a read starts the time of the phase anew. */
  private readsCount = true;
  private reusedSocket = false;
  private gotByte = false;
  private replayed = false;
  private settled = false;
  private lingerBytes = 0;
  /** The sink has asked for a pause, or the decoder has. */
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

  /** The answer has begun: from now on silence is measured between reads. */
  firstByteCame(): void {
    this.enter('idle', this.request.timeouts.idle);
  }

  /** Nothing essential is left to come, so the wait between reads becomes shorter. */
  expectEnd(milliseconds: number): void {
    if (milliseconds < this.phaseMs) this.enter('idle', milliseconds);
  }

  /** Bounds what is left of the exchange, however it trickles in. */
  endWithin(milliseconds: number): void {
    this.enter('idle', milliseconds);
    this.readsCount = false;
  }

  /** Stops reading until `resume`; the upstream is held back, and its silence is not counted. */
  pause(): void {
    if (this.sinkPaused || this.settled) return;
    this.sinkPaused = true;
    this.clearTimer();
    if (this.decoder === undefined) this.controller?.pause();
    else this.decoder.pause();
  }

  /** Never to be called while `data` runs. */
  resume(): void {
    if (!this.sinkPaused || this.settled) return;
    this.sinkPaused = false;
    this.enter(this.phase, this.phaseMs);
    if (this.decoder === undefined) this.controller?.resume();
    else this.decoder.resume();
  }

  /** Nobody wants the rest. The socket is closed, and the sink hears no more. */
  cancel(): void {
    if (this.settle()) this.destroy(new Error('The answer is no longer wanted.'));
  }

  /**
   * The sink has all it needs. What little may follow is read and dropped, so that the connection can be used again; a
   * server that goes on loses it.
   */
  finish(): void {
    if (!this.settle()) return;
    this.timer = setTimeout(() => this.destroy(new Error('The server went on after the end.')), LINGER_MS);
    this.timer.unref();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.settled) return;
    this.controller = controller;
    this.reusedSocket = this.client?.claimSocket() ?? false;
    this.enter('firstByte', this.request.timeouts.firstByte);
  }

  onResponseStarted(): void {
    this.gotByte = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.settled) return;
    const contentEncoding = headers['content-encoding'];
    const encoding = bodyEncoding(contentEncoding);
    if (encoding === 'unknown') {
      this.fail(upstreamError({ message: 'The upstream provider answered in an unknown content-encoding.' }), 'answer');
      return;
    }
    if (encoding === 'encoded') this.decoder = this.openDecoder(String(contentEncoding));
    this.guard(() => this.sink.start(status, headers));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) {
      this.lingerBytes += chunk.length;
      if (this.lingerBytes > LINGER_BYTES) this.destroy(new Error('The server went on after the end.'));
      return;
    }
    // Keep-alive comments before the first event are a sign of life as well.
    if (this.readsCount && this.phase !== 'connect') this.phaseEndsAt = performance.now() + this.phaseMs;
    if (this.decoder === undefined) this.deliver(chunk);
    else if (!this.decoder.write(chunk)) {
      this.decoderFull = true;
      controller.pause();
    }
  }

  onResponseEnd(): void {
    // From here on the connection may serve another call, so this one must not touch it any more.
    if (this.client !== undefined) this.pool.release(this.client);
    this.client = undefined;
    this.controller = undefined;
    if (this.settled) {
      this.clearTimer();
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
      // The server had closed the idle connection before it saw the request, so nothing is done twice.
      this.replayed = true;
      this.destroy(error);
      this.dispatch(this.pool.acquireFresh());
      return;
    }
    this.fail(transportError(error, this.phase, this.gotByte), 'connection');
  }

  private dispatch(client: UpstreamClient): void {
    const { method, path, headers, body, timeouts } = this.request;
    this.client = client;
    this.controller = undefined;
    this.reusedSocket = client.hasServed;
    this.enter('connect', timeouts.connect);
    client.dispatch({ method, path, headers, body }, this);
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
      this.fail(error, 'answer');
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
      this.fail(error, 'answer');
    }
  }

  private enter(phase: Phase, milliseconds: number): void {
    this.phase = phase;
    this.phaseMs = milliseconds;
    if (this.sinkPaused) return;
    this.phaseEndsAt = performance.now() + milliseconds;
    if (milliseconds === Infinity) {
      this.clearTimer();
      return;
    }
    // A timer that fires earlier looks again, which costs less than a new one for each phase.
    if (this.timer === undefined || this.firesAt > this.phaseEndsAt) this.setTimer();
  }

  private setTimer(): void {
    clearTimeout(this.timer);
    this.firesAt = this.phaseEndsAt;
    this.timer = setTimeout(this.onTimer, Math.ceil(this.phaseEndsAt - performance.now()));
  }

  private clearTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private readonly onTimer = (): void => {
    if (performance.now() < this.phaseEndsAt) this.setTimer();
    else this.fail(phaseTimeout(this.phase, this.phaseMs), 'connection');
  };

  private fail(error: unknown, origin: FailureOrigin): void {
    if (!this.settle()) return;
    this.destroy(new Error('The call was given up.'));
    this.sink.fail(error, origin);
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.clearTimer();
    this.request.signal.removeEventListener('abort', this.onAbort);
    this.decoder?.destroy();
    return true;
  }

  private destroy(reason: Error): void {
    this.clearTimer();
    const { client } = this;
    this.client = undefined;
    this.controller = undefined;
    if (client !== undefined) this.pool.discard(client, reason);
  }
}
