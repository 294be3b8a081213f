import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, MoreThanOrEqual } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import { storableText } from '../database/storable-text.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { encodeEvent } from '../wire/sse/sse-encoder.js';
import { SseParser } from '../wire/sse/sse-parser.js';
import { EventRecorder } from './event-recorder.js';
import { ResponseChanges } from './response-changes.js';
import { ResponseStore } from './response-store.js';
import { StoredResponseEvent } from './stored-response.entity.js';

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
    private readonly changes: ResponseChanges,
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
      this.changes.notify(keyId, responseId);
    });
  }

  /**
   * The events of a response behind a place, until the response is finished; its last event is always the last.
   *
   * @param after `sequence_number` of the last event that the client has; -1 for none
   * @throws GatewayError 404 for an id that the key does not have, also when it is deleted meanwhile
   */
  async *read(keyId: string, responseId: string, after: number, signal: CancelSignal): AsyncGenerator<string> {
    const changes = this.changes.open(keyId, responseId);
    try {
      let sequence = after;
      let nextPiece = 0;
      for (;;) {
        // Read before the pieces, so that a finished response has all its pieces.
        const isUnfinished = await this.responses.isUnfinished(keyId, responseId);
        const pieces = await this.piecesFrom(nextPiece, keyId, responseId);
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
        if (isUnfinished) await changes.next(signal);
        else {
          const { response } = await this.responses.read(keyId, responseId);
          yield lastEvent(response, sequence + 1);
          return;
        }
      }
    } finally {
      changes.close();
    }
  }

  private piecesFrom(piece: number, keyId: string, responseId: string): Promise<StoredResponseEvent[]> {
    return this.dataSource.manager.find(StoredResponseEvent, {
      where: { keyId, responseId, piece: MoreThanOrEqual(piece) },
      order: { piece: 'ASC' },
      take: PIECES_PER_QUERY,
    });
  }
}

function lastEvent(response: JsonObject, sequence: number): string {
  const { status } = response;
  const type = status === 'completed' || status === 'incomplete' ? `response.${status}` : 'response.failed';
  return encodeEvent(type, JSON.stringify({ type, response, sequence_number: sequence }));
}

function parse(data: string): JsonObject {
  try {
    const event: unknown = JSON.parse(data);
    return isObject(event) ? event : {};
  } catch {
    return {};
  }
}
