import { randomBytes } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, In, LessThan, Like } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { deleteInSteps } from '../database/delete-in-steps.js';
import { runSql } from '../database/sql.js';
import { storableText } from '../database/storable-text.js';
import { describeError } from '../errors/describe-error.js';
import type { JsonObject } from '../runtime/json-value.js';
import { Periodic } from '../runtime/periodic.js';
import { ResponseChanges } from './response-changes.js';
import { MAX_ID_CHARACTERS, StoredResponse } from './stored-response.entity.js';
import { unfinishedPrevious, unknownPrevious, unknownResponse } from './response-errors.js';

const SWEEP_INTERVAL_MS = 10 * 60_000;
/** Time between two heartbeats of a response that is being made. */
export const HEARTBEAT_INTERVAL_MS = 5_000;
/** Time without a heartbeat after which the process that made a response counts as ended. */
const LOST_AFTER_MS = 30_000;
const LOST_PER_SWEEP = 500;
/** Turns of one conversation that are read. A bound on work. */
const MAX_TURNS = 2_000;
const IDS_PER_QUERY = 500;
const ITEM_ID = /^[\w-]{1,128}$/;

/** A response with its request's own input. */
export interface KeptResponse {
  readonly responseId: string;
  readonly previousId: string | null;
  readonly provider: string | null;
  readonly createdAt: number;
  readonly input: readonly JsonObject[];
  readonly response: JsonObject;
}

/** A response to store. */
export interface NewResponse {
  readonly keyId: string;
  readonly previousId: string | null;
  readonly provider: string | null;
  readonly input: readonly unknown[];
  readonly response: Readonly<JsonObject>;
  /** Whether it is still being made. */
  readonly isUnfinished?: boolean;
}

/** Responses that are kept for later requests. A key sees its own alone. */
@Injectable()
export class ResponseStore implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Responses');
  private readonly stopping = new AbortController();
  private periodic: Periodic | undefined;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly config: GatewayConfig,
    private readonly changes: ResponseChanges,
  ) {}

  onApplicationBootstrap(): void {
    this.periodic = new Periodic(() => this.sweep(), {
      intervalMs: SWEEP_INTERVAL_MS,
      runsAtStart: true,
      onError: (error) => this.logger.warn({ msg: 'old responses could not be deleted', error: describeError(error) }),
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.periodic?.stop();
  }

  /** Deletes what is older than `responses.retention`. Safe in any number of processes. */
  async sweep(): Promise<void> {
    await this.failLost();
    const before = Date.now() - this.config.responses.retention;
    for (const table of ['stored_response', 'stored_response_event', 'reasoning_origin']) {
      const parameters = [before];
      await deleteInSteps(this.database, {
        table,
        condition: 'created_at < $1',
        parameters,
        signal: this.stopping.signal,
      });
    }
  }

  /** Keeps a response. Resolves when it is committed. */
  async keep({ keyId, previousId, provider, input, response, isUnfinished = false }: NewResponse): Promise<void> {
    const responseId = String(response['id']).slice(0, MAX_ID_CHARACTERS);
    // If a server gives every response the same id, a response must not become its own predecessor.
    if (responseId === previousId) return;
    const values = [
      randomBytes(16).toString('hex'),
      keyId,
      responseId,
      previousId,
      provider,
      Date.now(),
      storableText(JSON.stringify(input)),
      storableText(JSON.stringify(response)),
      isUnfinished ? Date.now() : null,
    ];
    await this.database.transaction((manager) =>
      runSql(
        manager,
        this.database.dialect,
        `INSERT INTO stored_response (id, key_id, response_id, previous_id, provider, created_at, input, response, heartbeat_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (key_id, response_id) DO UPDATE SET previous_id = excluded.previous_id,
           provider = excluded.provider, created_at = excluded.created_at, input = excluded.input,
           response = excluded.response, heartbeat_at = excluded.heartbeat_at`,
        values,
      ),
    );
  }

  /** @throws GatewayError 404 for an id that the key does not have */
  async read(keyId: string, responseId: string): Promise<KeptResponse> {
    const row = await this.dataSource.manager.findOneBy(StoredResponse, { keyId, responseId });
    if (row === null) throw unknownResponse(responseId);
    if (!isLost(row.heartbeatAt)) return keptOf(row);
    await this.finish(keyId, responseId, lostResponse(row.response));
    return this.read(keyId, responseId);
  }

  /**
   * Whether a response is still being made; reads none of its content.
   *
   * @throws GatewayError 404 for an id that the key does not have
   */
  async isUnfinished(keyId: string, responseId: string): Promise<boolean> {
    const row = await this.dataSource.manager.findOne(StoredResponse, {
      where: { keyId, responseId },
      select: { id: true, heartbeatAt: true },
    });
    if (row === null) throw unknownResponse(responseId);
    return row.heartbeatAt !== null && !isLost(row.heartbeatAt);
  }

  /**
   * Replaces a response that is being made by the finished one.
   *
   * @returns false where it is not being made any more, so that it stays as it is
   */
  async finish(keyId: string, responseId: string, response: Readonly<JsonObject>): Promise<boolean> {
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        this.database.dialect,
        `UPDATE stored_response SET response = $1, heartbeat_at = NULL
         WHERE key_id = $2 AND response_id = $3 AND heartbeat_at IS NOT NULL`,
        [storableText(JSON.stringify(response)), keyId, responseId],
      ),
    );
    if (affected > 0) this.changes.notify(keyId, responseId);
    return affected > 0;
  }

  /** Stores a heartbeat of a response that is being made. @returns false where it was cancelled, deleted or finished */
  async sendHeartbeat(keyId: string, responseId: string): Promise<boolean> {
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        this.database.dialect,
        `UPDATE stored_response SET heartbeat_at = $1
         WHERE key_id = $2 AND response_id = $3 AND heartbeat_at IS NOT NULL`,
        [Date.now(), keyId, responseId],
      ),
    );
    return affected > 0;
  }

  /** Marks responses as failed whose process ended without finishing them. */
  private async failLost(): Promise<void> {
    const lost = await this.dataSource.manager.find(StoredResponse, {
      where: { heartbeatAt: LessThan(Date.now() - LOST_AFTER_MS) },
      take: LOST_PER_SWEEP,
    });
    for (const { keyId, responseId, response } of lost) await this.finish(keyId, responseId, lostResponse(response));
  }

  /** @throws GatewayError 404 for an id that the key does not have */
  async delete(keyId: string, responseId: string): Promise<void> {
    const affected = await this.database.transaction(async (manager) => {
      let rows = 0;
      for (const table of ['stored_response_event', 'stored_response']) {
        const statement = `DELETE FROM ${table} WHERE key_id = $1 AND response_id = $2`;
        ({ affected: rows } = await runSql(manager, this.database.dialect, statement, [keyId, responseId]));
      }
      return rows;
    });
    if (affected === 0) throw unknownResponse(responseId);
    this.changes.notify(keyId, responseId);
  }

  /**
   * A response and all its predecessors, oldest first.
   *
   * @throws GatewayError 400 `previous_response_not_found` where one of them is not kept, or is another key's
   */
  async conversation(keyId: string, responseId: string): Promise<readonly KeptResponse[]> {
    const { rows } = await runSql(
      this.dataSource.manager,
      this.database.dialect,
      `WITH RECURSIVE turn(response_id, previous_id, provider, created_at, input, response, number) AS (
         SELECT response_id, previous_id, provider, created_at, input, response, 1 FROM stored_response
           WHERE key_id = $1 AND response_id = $2
         UNION ALL
         SELECT s.response_id, s.previous_id, s.provider, s.created_at, s.input, s.response, turn.number + 1
           FROM stored_response s JOIN turn ON s.response_id = turn.previous_id
           WHERE s.key_id = $3 AND turn.number < ${MAX_TURNS})
       SELECT * FROM turn ORDER BY number DESC`,
      [keyId, responseId, keyId],
    );
    const turns = rows.map((row) =>
      keptOf({
        responseId: String(row['response_id']),
        previousId: row['previous_id'] as string | null,
        provider: row['provider'] as string | null,
        createdAt: Number(row['created_at']),
        input: String(row['input']),
        response: String(row['response']),
      }),
    );
    const [oldest] = turns;
    if (oldest === undefined) throw unknownPrevious(responseId);
    if (oldest.previousId !== null) throw unknownPrevious(oldest.previousId);
    const { status } = turns.at(-1)?.response ?? {};
    if (status === 'queued' || status === 'in_progress') throw unfinishedPrevious(responseId);
    return turns;
  }

  /** Responses of a key by their ids; those that it does not have are left out. */
  async find(keyId: string, responseIds: readonly string[]): Promise<readonly KeptResponse[]> {
    const rows: StoredResponse[] = [];
    for (let start = 0; start < responseIds.length; start += IDS_PER_QUERY) {
      const ids = responseIds.slice(start, start + IDS_PER_QUERY);
      rows.push(...(await this.dataSource.manager.findBy(StoredResponse, { keyId, responseId: In(ids) })));
    }
    return rows.map(keptOf);
  }

  /** The newest response of a key that has an item with the id, for items whose ids a provider chose. */
  async findHolding(keyId: string, itemId: string): Promise<readonly KeptResponse[]> {
    if (!ITEM_ID.test(itemId)) return [];
    const holding = Like(`%"id":"${itemId}"%`);
    const rows = await this.dataSource.manager.find(StoredResponse, {
      where: [
        { keyId, response: holding },
        { keyId, input: holding },
      ],
      order: { createdAt: 'DESC' },
      take: 1,
    });
    return rows.map(keptOf);
  }
}

function keptOf(row: Omit<StoredResponse, 'id' | 'keyId' | 'heartbeatAt'>): KeptResponse {
  const { responseId, previousId, provider, createdAt } = row;
  return {
    responseId,
    previousId,
    provider,
    createdAt,
    input: JSON.parse(row.input) as JsonObject[],
    response: JSON.parse(row.response) as JsonObject,
  };
}

function isLost(heartbeatAt: number | null): boolean {
  return heartbeatAt !== null && heartbeatAt < Date.now() - LOST_AFTER_MS;
}

/** @param json of the response as it was being made */
function lostResponse(json: string): JsonObject {
  const message = 'The gateway was stopped while it made this response. Send the request again.';
  return { ...(JSON.parse(json) as JsonObject), status: 'failed', error: { code: 'server_error', message } };
}
