import type { Response } from 'express';
import { dropUnread } from '../../wire/sse/sse-response.js';
import { waitOrAbort } from '../../runtime/delay.js';

/** A body up to this size is sent at once, with its length. */
const WHOLE_BYTES = 64 * 1024;
/** How long a client may read nothing before its connection is closed and its buffers are released. */
const STALLED_MS = 60_000;

/** Headers and signals of a body of results. */
export interface ResultBodyOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called before a body is sent in parts. @returns what to call when it has ended. @throws to refuse it */
  readonly onStream: () => () => void;
}

/** A body of unknown length: sent whole with its length while it is small, otherwise in parts, each after the client took the last. */
export class ResultBody {
  private held: Buffer[] = [];
  private heldBytes = 0;
  private release: (() => void) | undefined;

  constructor(
    private readonly response: Response,
    private readonly options: ResultBodyOptions,
  ) {}

  async write(parts: readonly Buffer[]): Promise<void> {
    const { response, options } = this;
    options.signal.throwIfAborted();
    this.held.push(...parts);
    if (this.release === undefined) {
      for (const { length } of parts) this.heldBytes += length;
      if (this.heldBytes <= WHOLE_BYTES) return;
      this.release = options.onStream();
      response.writeHead(200, options.headers);
      // Node counts each byte that the client takes as activity.
      response.socket?.setTimeout(STALLED_MS);
    }
    let isFull = false;
    for (const part of this.held.splice(0)) isFull = !response.write(part);
    if (isFull) {
      await waitOrAbort(options.signal, (resolve) => {
        response.once('drain', resolve);
        return () => response.off('drain', resolve);
      });
    }
    // SQLite's driver and a writable socket both complete synchronously: yield to other work here.
    await new Promise(setImmediate);
  }

  end(): void {
    const { response, options, heldBytes } = this;
    if (this.release === undefined) {
      response.writeHead(200, { ...options.headers, 'content-length': heldBytes });
      response.end(Buffer.concat(this.held));
    } else response.end();
    dropUnread(response);
  }

  /** Must always be called. */
  close(): void {
    this.release?.();
  }
}
