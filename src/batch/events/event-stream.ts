import type { Response } from 'express';
import { dropUnread } from '../../wire/sse/sse-response.js';
import type { JobState } from './job-watchers.js';

/** Idle time after which a comment keeps the connection open. */
const PING_MS = 15_000;
/** How long a client may read nothing before its connection is closed. */
const STALLED_MS = 60_000;

/**
 * One client that follows a job. A client that does not read receives the newest state once it reads again, not those in
 * between, so at most one event is buffered.
 */
export class EventStream {
  private sent = '';
  private newest: JobState | undefined;
  private readonly ping: NodeJS.Timeout;

  constructor(private readonly response: Response) {
    response.socket?.setTimeout(STALLED_MS);
    response.on('drain', () => this.send());
    this.ping = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': ping\n\n');
    }, PING_MS).unref();
  }

  /** Sends the state unless it was sent before; the state of an ended job ends the stream. */
  notify(state: JobState): void {
    this.newest = state;
    this.send();
  }

  /** Drops the buffered items. */
  close(): void {
    clearInterval(this.ping);
  }

  private send(): void {
    const { newest, response } = this;
    if (newest === undefined || response.writableEnded) return;
    if (newest.hasEnded) {
      response.end(`${newest.json === this.sent ? '' : `data: ${newest.json}\n\n`}data: [DONE]\n\n`);
      dropUnread(response);
    } else if (newest.json !== this.sent && !response.writableNeedDrain) {
      response.write(`data: ${newest.json}\n\n`);
      this.ping.refresh();
    } else return;
    this.sent = newest.json;
  }
}
