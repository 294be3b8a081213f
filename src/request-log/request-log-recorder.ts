import { restoreIntegers } from '../runtime/exact-integers.js';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { RequestLogSetting } from '../auth/principal.js';
import { CallHooks, type CallHook, type HookedCall } from '../calls/call-hook.js';
import type { RecordingDetail } from '../operations/operation.js';
import type { OperationName } from '../operations/operation-types.js';
import { type CallOutcome, responderOf } from '../calls/call-outcome.js';
import { Database } from '../database/database.js';
import { storableText } from '../database/storable-text.js';
import { WriteBehind } from '../database/write-behind.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { ContentCipher } from './content-cipher.js';
import { redactJson } from '../runtime/redaction.js';
import { RequestLogEntry } from './request-log.entity.js';
import { randomId } from '../runtime/random-id.js';

/** Entries per transaction. */
const ENTRIES_PER_TRANSACTION = 50;
/** Characters of an entry, and of all queued entries. Entries above this are dropped and counted. */
const MAX_ENTRY_CHARACTERS = 2_000_000;
const MAX_QUEUED_CHARACTERS = 64_000_000;
const DAY_MS = 86_400_000;

const compress = promisify(gzip);

/** An entry before it is encrypted; `text` is JSON. */
interface Waiting {
  readonly row: Omit<RequestLogEntry, 'encryptionKey' | 'content'>;
  readonly text: string;
  readonly setting: RequestLogSetting;
}

/**
 * Stores prompts and responses for keys with a request log. A call only puts its text into a bounded buffer; redaction,
 * compression, encryption and the database follow later, and while the database is unreachable the buffer waits.
 */
@Injectable()
export class RequestLogRecorder implements BeforeApplicationShutdown, CallHook {
  readonly name = 'request log';
  readonly order = 800;
  private readonly buffer: WriteBehind<Waiting>;
  private readonly dropped: Counter;
  private readonly stored: Counter;

  constructor(
    hooks: CallHooks,
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
    this.buffer = new WriteBehind<Waiting>({
      what: 'entries of the request log',
      logger: new Logger('RequestLog'),
      store: (entries) => this.store(entries),
      batch: ENTRIES_PER_TRANSACTION,
      sizeOf: ({ text }) => text.length,
      mostWaiting: MAX_QUEUED_CHARACTERS,
      onDropped: (entries) => this.dropped.inc(entries),
    });
    hooks.add(this);
  }

  /** Runs before the database is closed. */
  beforeApplicationShutdown(): Promise<void> {
    return this.buffer.close();
  }

  detail({ context }: HookedCall<OperationName>): RecordingDetail {
    return context.principal.requestLog == null ? 'nothing' : 'content';
  }

  after(outcome: CallOutcome): void {
    const { requestLog } = outcome.context.principal;
    if (requestLog == null) return;
    if (!this.cipher.isReady) {
      this.dropped.inc();
      return;
    }
    const text = textOf(outcome, requestLog);
    const { startedAt, operation, request, context, status, error } = outcome;
    this.buffer.add({
      setting: requestLog,
      text,
      row: {
        id: randomId('rlog_'),
        requestId: context.requestId,
        keyId: context.principal.keyId,
        operation: operation.name,
        model: storableText(request.model.slice(0, 256)),
        provider: responderOf(outcome) ?? null,
        status,
        errorCode: error?.code == null ? null : storableText(error.code.slice(0, 64)),
        sessionId: context.session?.id ?? null,
        agentId: context.session?.agentId ?? null,
        createdAt: startedAt,
        expiresAt: startedAt + requestLog.days * DAY_MS,
      },
    });
  }

  private async store(entries: readonly Waiting[]): Promise<void> {
    const rows: RequestLogEntry[] = [];
    // One after the other, because redaction of a long text takes time and blocks the event loop.
    for (const entry of entries) rows.push(await this.seal(entry));
    await this.database.transaction((manager) =>
      // Ignores entries that were already stored by an unconfirmed transaction.
      manager.createQueryBuilder().insert().into(RequestLogEntry).values(rows).orIgnore().updateEntity(false).execute(),
    );
    this.stored.inc(rows.length);
  }

  private async seal({ row, text, setting }: Waiting): Promise<RequestLogEntry> {
    const packed = await compress(redactJson(text, setting.redact));
    return { ...row, ...this.cipher.seal(packed, row.id) };
  }
}

/** The stored parts of a call, as JSON. Parts to be left out are not serialized. */
function textOf(outcome: CallOutcome, { redact }: RequestLogSetting): string {
  const { operation, request, collector, error, droppedParams } = outcome;
  const { recorded, usage } = collector;
  const content = redact.includes('answer') ? undefined : recorded?.content;
  const rest = {
    answer:
      recorded === undefined ? null : { id: recorded.id, model: recorded.model, ...content, is_cut: recorded.isCut },
    usage: usage ?? null,
    dropped_params: droppedParams,
    error: error === null ? null : error.toBody().error,
  };
  if (redact.includes('prompt')) return JSON.stringify({ request: { model: request.model }, ...rest });
  const text = restoreIntegers(
    JSON.stringify(
      { request: operation.loggedRequest(request), ...rest },
      redact.includes('files') ? withoutFiles : undefined,
    ),
  );
  if (text.length <= MAX_ENTRY_CHARACTERS) return text;
  return JSON.stringify({
    request: { model: request.model, left_out: 'The request is too large to be kept.' },
    ...rest,
  });
}

/** Images, audio and files of messages are recognised by the name of their part, and left out. */
function withoutFiles(name: string, value: unknown): unknown {
  return name === 'image_url' || name === 'input_audio' || name === 'file' ? '[files]' : value;
}
