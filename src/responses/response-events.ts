import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, MoreThanOrEqual } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import { storableText } from '../database/storable-text.js';
import { delay } from '../runtime/delay.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { encodeEvent } from '../wire/sse/sse-encoder.js';
import { SseParser } from '../wire/sse/sse-parser.js';
import { EventRecorder } from './event-recorder.js';
import { ResponseStore } from './response-store.js';
import { StoredResponseEvent } from './stored-response.entity.js';

/** Between two looks for further events of a response that is being made. */
const POLL_MS = 250;
const PIECES_PER_QUERY = 50;
/** The last event of a response, which is made of the stored response. */
const LAST_EVENTS: ReadonlySet<unknown> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** Events of responses in the background: stored as they are made, and read in any process. */
@Injectable()
export class ResponseEvents {
  constructor(
    private readonly responses: ResponseStore,
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {}

  /** Stores the events of a response that is being made. */
  recorder(keyId: string, responseId: string): EventRecorder {
    return new EventRecorder(async (piece, frames) => {
      await this.database.transaction((manager) =>
        runSql(
          manager,
          this.database.dialect,
          `INSERT INTO stored_response_event (id, key_id, response_id, piece, created_at, frames)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key_id, response_id, piece) DO NOTHING`,
          [randomBytes(16).toString('hex'), keyId, responseId, piece, Date.now(), storableText(frames)],
        ),
      );
    });
  }

  /**
   * The events of a response behind a place, until the response is finished; its last event is always the last.
   *
   * @param after `sequence_number` of the last event that the client has; -1 for none
   * @throws GatewayError 404 for an id that the key does not have, also when it is deleted meanwhile
   */
  async *read(keyId: string, responseId: string, after: number, signal: CancelSignal): AsyncGenerator<string> {
    let sequence = after;
    let nextPiece = 0;
    for (;;) {
      // Before the pieces, so that all of them are there once it is finished.
      const { response } = await this.responses.read(keyId, responseId);
      const pieces = await this.dataSource.manager.find(StoredResponseEvent, {
        where: { keyId, responseId, piece: MoreThanOrEqual(nextPiece) },
        order: { piece: 'ASC' },
        take: PIECES_PER_QUERY,
      });
      for (const { piece, frames } of pieces) {
        nextPiece = piece + 1;
        for (const { event, data } of new SseParser().push(Buffer.from(frames))) {
          const { type, sequence_number: number } = parse(data);
          if (typeof number !== 'number' || number <= sequence || LAST_EVENTS.has(type)) continue;
          sequence = number;
          yield encodeEvent(event, data);
        }
      }
      if (pieces.length > 0) continue;
      const { status } = response;
      if (status !== 'queued' && status !== 'in_progress') {
        const type = status === 'completed' || status === 'incomplete' ? `response.${status}` : 'response.failed';
        yield encodeEvent(type, JSON.stringify({ type, response, sequence_number: sequence + 1 }));
        return;
      }
      await delay(POLL_MS, signal);
    }
  }
}

function parse(data: string): JsonObject {
  try {
    const event: unknown = JSON.parse(data);
    return isObject(event) ? event : {};
  } catch {
    return {};
  }
}
