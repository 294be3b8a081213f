import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { notFound } from '../../errors/gateway-error.js';
import type { BatchJob } from '../batch-job.entity.js';
import type { TaskStatus } from '../batch-task.entity.js';
import { TaskErrors } from '../task-errors.js';
import { MemberFinder } from './member-finder.js';
import type { ResultFormat } from './result-format.js';

const FINISHED: readonly TaskStatus[] = ['succeeded', 'failed', 'cancelled', 'expired'];
/** Tasks of which one statement reads the finished ones. */
const TASKS_PER_QUERY = 1_000;

/** Rows and bytes of one read. A single result may be larger. */
const ROWS_PER_READ = 200;
const BYTES_PER_READ = 256 * 1024;
/**
 * A response above this is read in pieces of this size, so that a reader needs little memory for any size. SQLite reads
 * the whole value for each piece; PostgreSQL sends two characters a byte, and its driver buffers them.
 */
const SQLITE_PIECE_BYTES = 4 * 1024 * 1024;
const POSTGRES_PIECE_BYTES = 1024 * 1024;

/** A reference to a result whose content has not been read yet. */
export interface ResultRef {
  readonly index: number;
  /** Stored bytes; the result itself is a little larger. */
  readonly bytes: number;
}

/** A finished task as it is stored. */
export interface ResultRow {
  task_index: number;
  custom_id: string;
  status: string;
  attempts: number;
  operation: string;
  dialect: string | null;
  error: string | null;
  /** 1 where there is a response, which is read apart from its row when it is large; otherwise 0. */
  has_response: number;
  /** Text from PostgreSQL, bytes from SQLite. */
  response: string | Buffer | null;
}

/**
 * Reads results by size: sizes first, then a bounded number of bytes at a time. Stored JSON is passed through unchanged, neither
 * parsed nor serialized again, so that memory and event loop do not depend on its size.
 */
@Injectable()
export class ResultReader {
  /** Resolves when the next read of SQLite may begin. */
  private nextTurn: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly errors: TaskErrors,
  ) {}

  /**
   * The finished tasks of a job in task order, after an index, without their contents. Unfinished tasks are skipped a bounded
   * number at a time, so that a job of a million tasks does not block other requests.
   *
   * @param expected the minimum number, if known: the search ends with the last of them
   * @param statuses of the tasks
   */
  async list(
    { id, taskCount }: Pick<BatchJob, 'id' | 'taskCount'>,
    {
      after,
      limit,
      expected = Infinity,
      statuses = FINISHED,
    }: { after: number; limit: number; expected?: number; statuses?: readonly TaskStatus[] },
  ): Promise<ResultRef[]> {
    const found: ResultRef[] = [];
    const wanted = Math.min(limit, expected);
    const list = statuses.map((status) => `'${status}'`).join(', ');
    for (let from = after + 1; from < taskCount && found.length < wanted; from += TASKS_PER_QUERY) {
      const rows = await this.query<{ task_index: number; bytes: number }>(
        `SELECT task_index, octet_length(custom_id) + COALESCE(octet_length(response), 0)
           + COALESCE(octet_length(error), 0) AS bytes
         FROM batch_task WHERE job_id = $1 AND task_index >= $2 AND task_index < $3 AND status IN (${list})
         ORDER BY task_index LIMIT $4`,
        [id, from, from + TASKS_PER_QUERY, limit - found.length],
      );
      for (const { task_index: index, bytes } of rows) found.push({ index, bytes });
    }
    return found;
  }

  /**
   * The results as JSON, a bounded number of bytes at a time, in consecutive parts.
   *
   * @param separator between two results
   * @throws GatewayError 404 when the job is deleted meanwhile
   */
  async *read(
    jobId: string,
    refs: readonly ResultRef[],
    format: ResultFormat,
    separator = '',
  ): AsyncGenerator<readonly Buffer[]> {
    let isFirst = true;
    for (const group of groupsOf(refs)) {
      const isLarge = group[0] !== undefined && group[0].bytes > this.pieceBytes;
      const rows = await this.rows(jobId, group, isLarge);
      if (rows.length < group.length) {
        throw notFound('The batch was deleted while its results were read.', 'not_found', 'job_id');
      }
      let parts: Buffer[] = [];
      for (const row of rows) {
        const finder = format.needsUsage ? new MemberFinder(['body', 'usage']) : undefined;
        parts.push(Buffer.from(`${isFirst ? '' : separator}${format.head(row)}`));
        isFirst = false;
        if (isLarge && row.has_response === 1) {
          yield parts;
          parts = [];
          let skip = format.skip;
          for await (const piece of this.pieces(jobId, row.task_index)) {
            finder?.write(piece);
            yield [skip === undefined ? piece : piece.subarray(skip(piece))];
            skip = undefined;
          }
        } else if (row.response !== null) {
          const response = typeof row.response === 'string' ? Buffer.from(row.response) : row.response;
          finder?.write(response);
          parts.push(format.skip === undefined ? response : response.subarray(format.skip(response)));
        }
        const error = row.error === null ? undefined : this.errors.shown(row.error, row);
        parts.push(Buffer.from(format.tail(row, error, finder?.value)));
      }
      yield parts;
    }
  }

  private rows(jobId: string, group: readonly ResultRef[], isLarge: boolean): Promise<readonly ResultRow[]> {
    // As a BLOB, so that SQLite's driver makes no string of it, which would be encoded again.
    const response = isLarge ? 'NULL' : this.database.isSqlite ? 'CAST(response AS BLOB)' : 'response';
    return this.query<ResultRow>(
      `SELECT task_index, custom_id, status, attempts, operation, dialect, error,
         CASE WHEN response IS NULL THEN 0 ELSE 1 END AS has_response, ${response} AS response FROM batch_task
       WHERE job_id = $1 AND task_index IN (${group.map((_ref, index) => `$${index + 2}`).join(', ')})
       ORDER BY task_index`,
      [jobId, ...group.map(({ index }) => index)],
    );
  }

  private async *pieces(jobId: string, index: number): AsyncGenerator<Buffer> {
    const bytes = this.database.isSqlite
      ? 'substr(CAST(response AS BLOB), $3, $4)'
      : `substring(convert_to(response, 'UTF8') FROM $3 FOR $4)`;
    for (let offset = 1; ; offset += this.pieceBytes) {
      const [row] = await this.query<{ piece: Buffer | null }>(
        `SELECT ${bytes} AS piece FROM batch_task WHERE job_id = $1 AND task_index = $2`,
        [jobId, index, offset, this.pieceBytes],
      );
      const piece = row?.piece ?? undefined;
      if (piece === undefined) {
        throw notFound('The batch was deleted while its results were read.', 'not_found', 'job_id');
        return;
      }
      if (piece.length > 0) yield piece;
      if (piece.length < this.pieceBytes) return;
    }
  }

  private get pieceBytes(): number {
    return this.database.isSqlite ? SQLITE_PIECE_BYTES : POSTGRES_PIECE_BYTES;
  }

  /** SQLite's driver is synchronous: of many readers, one reads per turn of the event loop. */
  private async turn(): Promise<void> {
    if (!this.database.isSqlite) return;
    const turn = this.nextTurn;
    this.nextTurn = turn.then(() => new Promise(setImmediate));
    await turn;
  }

  private async query<Row>(statement: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    await this.turn();
    return (await runSql<Row>(this.dataSource.manager, this.database.dialect, statement, parameters)).rows;
  }
}

/** Results that are read together: as many as fit in the bytes of a read, a larger one alone. */
function* groupsOf(refs: readonly ResultRef[]): Generator<readonly ResultRef[]> {
  let group: ResultRef[] = [];
  let bytes = 0;
  for (const ref of refs) {
    if (group.length > 0 && (bytes + ref.bytes > BYTES_PER_READ || group.length >= ROWS_PER_READ)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(ref);
    bytes += ref.bytes;
  }
  if (group.length > 0) yield group;
}
