import type { IncomingMessage } from 'node:http';
import { GatewayError, invalidRequest } from '../errors/gateway-error.js';
import { clientClosedRequest } from '../errors/to-gateway-error.js';
import { decoderFor } from './content-encoding.js';

/** Reads a body as it arrives. */
export interface BodySink {
  /** Receives the next decoded bytes. While the returned promise is pending, no more are read. */
  write(chunk: Buffer): Promise<void> | void;
}

/** The limits of a body. */
export interface BodyLimit {
  /** Bytes, decoded and as sent. */
  readonly maxBytes: number;
  /** Most members of all objects of a JSON body; where it is absent, what any other body may have. */
  readonly maxKeys?: number;
  /** A further sentence of the 413: how to stay within the limit. */
  readonly advice: string;
}

/** 413: the body, as announced or as read so far, is over the route's limit. */
export function requestTooLarge({ maxBytes, advice }: BodyLimit): GatewayError {
  return new GatewayError({
    status: 413,
    type: 'invalid_request_error',
    code: 'request_too_large',
    message: `The request body is larger than this route takes (${maxBytes} bytes). ${advice}`,
  });
}

/**
 * Passes a decoded body to a sink as it arrives. It ends at the first byte over the limit and at the first fault; the rest of the
 * request is discarded, and the request itself is not destroyed, so that the client still receives a response.
 *
 * @throws GatewayError 413 over the limit, 400 where the bytes do not match the content-encoding, 415 for another encoding, 499
 * when the client disconnects; and errors of the sink
 */
export function streamBody(request: IncomingMessage, limit: BodyLimit, sink: BodySink): Promise<void> {
  const makeDecoder = decoderFor(request.headers['content-encoding']);
  const decoder = makeDecoder?.();
  const source = decoder ?? request;
  let received = 0;
  let decoded = 0;
  /** The sink's pending write. A stream that is paused at its last chunk may end nevertheless. */
  let writing: Promise<void> | undefined;
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      request.off('data', onRequestData).off('end', onRequestEnd).off('error', onGone).off('close', onGone);
      source.off('data', onData).off('end', onEnd);
      if (decoder !== undefined) {
        // Late errors need a listener.
        decoder.off('error', onDecoderError).on('error', () => undefined);
        decoder.destroy();
      }
      request.resume();
      settle();
    };
    const fail = (error: Error): void => finish(() => reject(error));
    const onGone = (): void => {
      if (!request.complete) fail(clientClosedRequest());
    };
    const onRequestData = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > limit.maxBytes) fail(requestTooLarge(limit));
      else if (decoder?.write(chunk) === false) {
        request.pause();
        decoder.once('drain', () => request.resume());
      }
    };
    const onRequestEnd = (): void => void decoder?.end();
    const onDecoderError = (): void => fail(invalidEncoding());
    const onData = (chunk: Buffer): void => {
      decoded += chunk.length;
      if (decoded > limit.maxBytes) {
        fail(requestTooLarge(limit));
        return;
      }
      try {
        const pending = sink.write(chunk);
        if (!(pending instanceof Promise)) return;
        source.pause();
        writing = pending.then(() => {
          writing = undefined;
          source.resume();
        });
        writing.catch(fail);
      } catch (error) {
        fail(error as Error);
      }
    };
    const onEnd = (): void => {
      // A fault of the sink is its own.
      if (writing === undefined) complete();
      else writing.then(complete, () => undefined);
    };
    const complete = (): void => {
      // zlib ignores what follows the end of the encoded data.
      if (decoder !== undefined && decoder.bytesWritten < received) fail(invalidEncoding());
      else finish(resolve);
    };
    request.on('error', onGone).on('close', onGone);
    source.on('data', onData).on('end', onEnd);
    if (decoder !== undefined) {
      decoder.on('error', onDecoderError);
      request.on('data', onRequestData).on('end', onRequestEnd);
    }
  });
}

function invalidEncoding(): GatewayError {
  return invalidRequest('The request body does not match its content-encoding.', null, 'invalid_encoding');
}
