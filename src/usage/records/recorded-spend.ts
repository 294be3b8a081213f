import { Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { boundNanoDollars, MAX_NANO_DOLLARS, readNanoDollars, type NanoDollars } from '../../runtime/nano-dollars.js';
import { reached } from '../../runtime/steady-clock.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { UsageRecorder } from './usage-recorder.service.js';
import type { PeriodSpan } from '../../limits/period.js';
import { SpendQuery } from '../../limits/spend-query.js';

/** The keys that a key of `made` created, including purged ones; PostgreSQL allows only one recursive term. */
const MADE = {
  sqlite: `SELECT api_key.id FROM api_key JOIN made ON api_key.parent_id = made.id
  UNION SELECT former_owner.id FROM former_owner JOIN made ON former_owner.parent_id = made.id`,
  postgres: `SELECT CAST(child.id AS text) FROM made CROSS JOIN LATERAL (
    SELECT api_key.id FROM api_key WHERE api_key.parent_id = made.id
    UNION ALL SELECT former_owner.id FROM former_owner WHERE former_owner.parent_id = made.id) AS child`,
};
/** A key and the keys that it created, at any depth. */
const keysOfKey = (made: string): string => `
WITH RECURSIVE made(id) AS (SELECT CAST($1 AS text) UNION ${made})
SELECT id FROM made`;
/** The keys that keys of a group created: they spend from its budget even where an operator moved them out of it. */
const keysBelowGroup = (made: string): string => `
WITH RECURSIVE member(id) AS (
  SELECT id FROM api_key WHERE group_id = $1 UNION ALL SELECT id FROM former_owner WHERE group_id = $1),
below(id) AS (
  SELECT id FROM api_key WHERE parent_id IN (SELECT id FROM member)
  UNION ALL SELECT id FROM former_owner WHERE parent_id IN (SELECT id FROM member)),
made(id) AS (SELECT CAST(id AS text) FROM below UNION ${made})
SELECT id FROM made`;

/** The spent amount of an account according to the records, with which balances start. */
@Injectable()
export class RecordedSpend extends SpendQuery implements OnApplicationBootstrap {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly recorder: UsageRecorder,
  ) {
    super();
  }

  /** Writes the records that this process has not stored yet. */
  flush(): Promise<void> {
    return this.recorder.flush();
  }

  /** Never before the time of the latest record: the clock may have been set back while the gateway was stopped. */
  async onApplicationBootstrap(): Promise<void> {
    const { rows } = await runSql<{ latest: string | number | null }>(
      this.dataSource.manager,
      this.database.dialect,
      'SELECT MAX(created_at) AS latest FROM usage_record',
    );
    reached(Number(rows[0]?.latest ?? 0));
  }

  /**
   * Billionths of a dollar that a key or a group has spent in a period, including the keys that it created.
   *
   * @throws the database's error when it cannot be queried
   */
  async total(account: string, { start, end }: PeriodSpan): Promise<NanoDollars> {
    await this.recorder.flush();
    const isGroup = account.startsWith('group_');
    const made = this.database.isSqlite ? MADE.sqlite : MADE.postgres;
    const keys = new Set(await this.idsOf((isGroup ? keysBelowGroup : keysOfKey)(made), account));
    // Their transaction may commit at any moment, so they are counted here and excluded from the query.
    const unstored = this.recorder.unstored.filter(
      ({ groupId, keyId, createdAt }) =>
        (keys.has(keyId) || (isGroup && groupId === account)) && createdAt >= start && createdAt < end,
    );
    const listOf = (parameter: string): string =>
      this.database.isSqlite
        ? `(SELECT value FROM json_each(${parameter}))`
        : `(SELECT json_array_elements_text(${parameter}::json))`;
    const ofKeys = `key_id IN ${listOf('$4')}`;
    const conditions = isGroup
      ? ['group_id = $5', ...(keys.size === 0 ? [] : [`${ofKeys} AND (group_id IS NULL OR group_id <> $5)`])]
      : [ofKeys];
    const isCounted = `created_at >= $1 AND created_at < $2${unstored.length === 0 ? '' : ` AND id NOT IN ${listOf('$3')}`}`;
    const sums = await this.sums(
      conditions.map((condition) => `${condition} AND ${isCounted}`),
      [
        start,
        Math.min(end, Number.MAX_SAFE_INTEGER),
        JSON.stringify(unstored.map(({ id }) => id)),
        JSON.stringify([...keys]),
        account,
      ],
    );
    return boundNanoDollars(unstored.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), sums));
  }

  private async idsOf(statement: string, account: string): Promise<string[]> {
    const { dialect } = this.database;
    const { rows } = await runSql<{ id: string }>(this.dataSource.manager, dialect, statement, [account]);
    return rows.map(({ id }) => id);
  }

  /** @param parameters $1 to $5 of the conditions, each of which uses some of them */
  private async sums(conditions: readonly string[], parameters: readonly unknown[]): Promise<number> {
    let sum = 0;
    for (const condition of conditions) {
      // PostgreSQL needs to infer the type of each parameter, so only used ones are passed.
      const used: unknown[] = [];
      const text = condition.replace(/\$(\d)/g, (_match, number: string) => {
        used.push(parameters[Number(number) - 1]);
        return `$${used.length}`;
      });
      const { rows } = await runSql<{ nanos: string | number | null }>(
        this.dataSource.manager,
        this.database.dialect,
        `SELECT SUM(CASE WHEN cost_nanos BETWEEN 0 AND ${MAX_NANO_DOLLARS} THEN cost_nanos ELSE 0 END) AS nanos FROM usage_record WHERE ${text}`,
        used,
      );
      sum += readNanoDollars(rows[0]?.nanos ?? 0) ?? MAX_NANO_DOLLARS;
    }
    return sum;
  }
}
