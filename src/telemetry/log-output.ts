import { write, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Milliseconds between attempts to write while the output does not take anything. */
const RETRY_MS = 100;
const SYNC_RETRY_MS = 10;
/** Milliseconds that the end of the process waits for an output that does not take anything. */
const MAX_FLUSH_MS = 1_000;
/** Bytes that one write may have. */
const MAX_WRITE_BYTES = 64 * 1024;
/** Characters of lines that wait; lines beyond them are dropped, and counted. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024;
/** Errors of an output that may take data again later: the reader does not read at the moment, or the disk is full. */
const MAY_PASS = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'EIO', 'ENOSPC', 'EDQUOT', 'EFBIG']);

/** Functions of `node:fs` that the output uses. */
export interface OutputCalls {
  readonly write: typeof write;
  readonly writeSync: typeof writeSync;
}

/**
 * Writes the log to a file descriptor. Neither a disk that is full nor a reader that has stopped or ended stops the gateway: lines
 * wait in memory up to a bound, and are dropped beyond it. Once the output takes lines again, one line says how many were dropped.
 */
export class LogOutput implements DestinationStream {
  private waiting: string[] = [];
  private waitingCharacters = 0;
  /** What is being written; undefined when nothing is. */
  private writing: Buffer | undefined;
  /** Whether the retry of a failed write waits for its time. */
  private retry: NodeJS.Timeout | undefined;
  private dropped = 0;
  /** When the write that is running began, in milliseconds of the monotonic clock. */
  private startedAt = 0;
  private isClosed = false;

  constructor(
    private readonly descriptor: number,
    private readonly calls: OutputCalls = { write, writeSync },
  ) {}

  /** @param line with its line break */
  write(line: string): void {
    if (this.isClosed) return;
    if (this.waitingCharacters + line.length > MAX_WAITING_CHARACTERS) {
      this.dropped += 1;
      return;
    }
    this.waiting.push(line);
    this.waitingCharacters += line.length;
    if (this.writing === undefined) this.writeNext();
  }

  /**
   * Writes all lines that wait, as far as the output takes them within a second; none where it has taken nothing for that long
   * already, because a write to it might never return. It does not throw.
   */
  flushSync(): void {
    if (this.retry === undefined && this.writing !== undefined) {
      // The system is writing these bytes, which cannot be awaited here. What follows them is written, unless they are stuck.
      if (performance.now() - this.startedAt < MAX_FLUSH_MS) this.writeSync(this.take());
      return;
    }
    clearTimeout(this.retry);
    this.retry = undefined;
    const failed = this.writing;
    this.writing = undefined;
    this.writeSync(failed ?? this.take());
  }

  private writeSync(bytes: Buffer | undefined): void {
    const until = performance.now() + MAX_FLUSH_MS;
    for (let rest = bytes; rest !== undefined && !this.isClosed; rest = rest.length === 0 ? this.take() : rest) {
      try {
        rest = rest.subarray(this.calls.writeSync(this.descriptor, rest));
      } catch (error) {
        this.noteError(error);
        if (performance.now() >= until) {
          this.writing = rest;
          this.sendLater(rest);
          return;
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SYNC_RETRY_MS);
      }
    }
  }

  private writeNext(): void {
    this.writing = this.take();
    if (this.writing !== undefined) this.send(this.writing);
  }

  private send(bytes: Buffer): void {
    this.startedAt = performance.now();
    this.calls.write(this.descriptor, bytes, (error, count) => {
      if (this.writing !== bytes) return;
      if (error !== null) {
        this.noteError(error);
        if (this.isClosed) return;
        this.sendLater(bytes);
        return;
      }
      if (count < bytes.length) {
        this.writing = bytes.subarray(count);
        this.send(this.writing);
      } else this.writeNext();
    });
  }

  private sendLater(bytes: Buffer): void {
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.send(bytes);
    }, RETRY_MS);
    this.retry.unref();
  }

  /** The next bytes to write. */
  private take(): Buffer | undefined {
    if (this.dropped > 0) {
      const time = new Date().toISOString();
      const message = 'lines of the log were dropped: the output took none';
      const line = { level: 'warn', time, pid: process.pid, dropped: this.dropped, msg: message };
      this.waiting.push(`${JSON.stringify(line)}\n`);
      this.dropped = 0;
    }
    if (this.waiting.length === 0) return undefined;
    let count = 0;
    for (let characters = 0; count < this.waiting.length && characters < MAX_WRITE_BYTES; count += 1) {
      characters += this.waiting[count]?.length ?? 0;
    }
    const lines = count === this.waiting.length ? this.waiting : this.waiting.splice(0, count);
    if (lines === this.waiting) this.waiting = [];
    const text = lines.length === 1 ? (lines[0] ?? '') : lines.join('');
    this.waitingCharacters = this.waiting.length === 0 ? 0 : this.waitingCharacters - text.length;
    return Buffer.from(text);
  }

  /** A reader that has ended never comes back: nothing is kept for it. */
  private noteError(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (MAY_PASS.has(code)) return;
    this.isClosed = true;
    this.waiting = [];
    this.waitingCharacters = 0;
  }
}
