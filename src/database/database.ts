import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';
import { POSTGRES, runSql, SQLITE, type SqlDialect, type SqlResult } from './sql.js';
import { beginImmediate } from './sqlite-transaction.js';

/** Longest wait for another process that writes to the same SQLite file, in milliseconds. */
const WRITE_LOCK_TIMEOUT_MS = 10_000;

/**
 * The only way to write. TypeORM has one connection to SQLite, on which overlapping transactions would break each other and a
 * foreign ROLLBACK would undo acknowledged rows; so there all writes pass one queue. On PostgreSQL this is an ordinary
 * transaction on a connection of the pool.
 */
@Injectable()
export class Database {
  private queue: Promise<unknown> = Promise.resolve();
  /** Transactions of SQLite that wait for their turn. */
  waiting = 0;
  private readonly inside = new AsyncLocalStorage<true>();
  private open = 0;

  constructor(private readonly dataSource: DataSource) {}

  get isSqlite(): boolean {
    return this.dialect.isSqlite;
  }

  /** For statements that the query builder cannot express. */
  get dialect(): SqlDialect {
    return this.dataSource.options.type === 'better-sqlite3' ? SQLITE : POSTGRES;
  }

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. `work` must use only the given
   * manager. Transactions must not be nested.
   */
  async transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    if (this.inside.getStore() === true) {
      throw new Error('Database.transaction() was called inside a transaction; pass its manager on instead');
    }
    if (!this.isSqlite) return this.dataSource.transaction((manager) => this.marked(() => work(manager)));
    this.waiting += 1;
    const turn = this.queue.then(() => {
      this.waiting -= 1;
      return this.marked(() => this.runOnSqlite(work));
    });
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** Runs one statement in a transaction; see `runSql`. */
  run<Row = Record<string, unknown>>(
    manager: EntityManager,
    statement: string,
    parameters: readonly unknown[] = [],
  ): Promise<SqlResult<Row>> {
    return runSql<Row>(manager, this.dialect, statement, parameters);
  }

  /** Resolves when the database responds. @throws when it does not, or when `signal` is aborted first */
  async ping(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    await Promise.race([this.dataSource.query('SELECT 1'), aborted]);
  }

  /**
   * Runs `work` so that a nested transaction is detected. Node 20 tracks every promise of the process while an AsyncLocalStorage
   * is in use, so it is disabled between transactions.
   */
  private async marked<Result>(work: () => Promise<Result>): Promise<Result> {
    this.open += 1;
    try {
      return await this.inside.run(true, work);
    } finally {
      this.open -= 1;
      if (this.open === 0) this.inside.disable();
    }
  }

  private async runOnSqlite<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    const transaction = await beginImmediate(runner, WRITE_LOCK_TIMEOUT_MS);
    let result: Result;
    try {
      result = await work(runner.manager);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
    await transaction.commit();
    return result;
  }
}
