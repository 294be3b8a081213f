import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { RequestLogSetting } from '../auth/principal.js';
import { CallEvents } from '../chat/call-events.js';
import type { CallOutcome } from '../chat/call-outcome.js';
import { Database } from '../database/database.js';
import { describeError } from '../errors/describe-error.js';
import { MetricsRegistry } from '../telemetry/metrics-registry.js';
import { ContentCipher } from './content-cipher.js';
import { redactJson } from './redaction.js';
import { RequestLogEntry } from './request-log.entity.js';
import { randomId } from '../ids/random-id.js';

/** Milliseconds between two writes. */
const FLUSH = 500;
/** Entries of one transaction. */
const CHUNK = 50;
/** Characters of an entry, and of all that wait to be written. What is more is left out, and counted. */
const MOST_OF_ENTRY = 2_000_000;
const MOST_WAITING = 64_000_000;
/** Longest wait between two tries to write, in milliseconds. */
const LONGEST_PAUSE = 10_000;
const DAY = 86_400_000;

const compress = promisify(gzip);

/** An entry before it is encrypted; `text` is JSON. */
interface Waiting {
  readonly row: Omit<RequestLogEntry, 'encryptionKey' | 'content'>;
  readonly text: string;
  readonly setting: RequestLogSetting;
}

/**
 * Keeps prompts and answers of keys that ask for it. A call only leaves its text in a bounded buffer; patterns, compression,
 * encryption and the database come later, and while the database is away the buffer waits.
 */
@Injectable()
export class RequestLogRecorder implements BeforeApplicationShutdown {
  private readonly logger = new Logger('RequestLog');
  private waiting: Waiting[] = [];
  private size = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private pause = FLUSH;
  private isStopping = false;
  private readonly dropped: Counter;
  private readonly stored: Counter;

  constructor(
    events: CallEvents,
    metrics: MetricsRegistry,
    private readonly cipher: ContentCipher,
    private readonly database: Database,
  ) {
    const registers = [metrics.registry];
    this.stored = new Counter({
      name: 'gateway_request_log_stored_total',
      help: 'Entries of the request log that were stored.',
      registers,
    });
    this.dropped = new Counter({
      name: 'gateway_request_log_dropped_total',
      help: 'Entries of the request log that were lost because the buffer was full or no encryption key is set.',
      registers,
    });
    events.onEnded((outcome) => this.ended(outcome));
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.writing;
    await this.write();
    if (this.waiting.length > 0)
      this.logger.error({ msg: 'entries were lost at shutdown', entries: this.waiting.length });
  }

  private ended(outcome: CallOutcome): void {
    const { requestLog } = outcome.context.principal;
    if (requestLog == null) return;
    if (!this.cipher.isReady || this.size >= MOST_WAITING) {
      this.dropped.inc();
      return;
    }
    const text = textOf(outcome, requestLog);
    const { startedAt, request, context, attempts, status, error } = outcome;
    this.size += text.length;
    this.waiting.push({
      setting: requestLog,
      text,
      row: {
        id: randomId('rlog_'),
        requestId: context.requestId,
        keyId: context.principal.keyId,
        model: request.model.slice(0, 256),
        provider: attempts.at(-1)?.deployment.provider.name ?? null,
        status,
        errorCode: error?.code?.slice(0, 64) ?? null,
        createdAt: startedAt,
        expiresAt: startedAt + requestLog.days * DAY,
      },
    });
    this.schedule();
  }

  private schedule(): void {
    if (this.isStopping || this.timer !== undefined || this.writing !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.writing = this.write().finally(() => {
        this.writing = undefined;
        if (this.waiting.length > 0) this.schedule();
      });
    }, this.pause);
    this.timer.unref();
  }

  /** Writes all that waits; stops at the first failure and leaves the rest for later. */
  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const chunk = this.waiting.slice(0, CHUNK);
      try {
        const rows = await Promise.all(chunk.map((entry) => this.seal(entry)));
        await this.database.transaction((manager) => manager.insert(RequestLogEntry, rows));
      } catch (error) {
        if (this.pause === FLUSH)
          this.logger.error({ msg: 'entries wait for the database', error: describeError(error) });
        this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
        return;
      }
      this.pause = FLUSH;
      this.waiting.splice(0, chunk.length);
      for (const { text } of chunk) this.size -= text.length;
      this.stored.inc(chunk.length);
    }
  }

  private async seal({ row, text, setting }: Waiting): Promise<RequestLogEntry> {
    const packed = await compress(redactJson(text, setting.redact));
    return { ...row, ...this.cipher.seal(packed, row.id) };
  }
}

/** What is kept of a call, as JSON. Whole parts that are to be left out are not even written down. */
function textOf(outcome: CallOutcome, { redact }: RequestLogSetting): string {
  const { request, answer, usage, error } = outcome;
  const choices = redact.includes('answer') ? undefined : answer?.choices;
  const rest = {
    answer:
      answer === undefined || answer.choices.length === 0
        ? null
        : { id: answer.id, model: answer.model, choices, is_cut: answer.isCut },
    usage: usage ?? null,
    error: error === null ? null : error.toBody().error,
  };
  if (redact.includes('prompt')) return JSON.stringify({ request: { model: request.model }, ...rest });
  const text = JSON.stringify({ request, ...rest }, redact.includes('files') ? withoutFiles : undefined);
  if (text.length <= MOST_OF_ENTRY) return text;
  return JSON.stringify({
    request: { model: request.model, left_out: 'The request is too large to be kept.' },
    ...rest,
  });
}

/** Images, audio and files of messages are left out by the name of their part. */
function withoutFiles(name: string, value: unknown): unknown {
  return name === 'image_url' || name === 'input_audio' || name === 'file' ? '[files]' : value;
}
