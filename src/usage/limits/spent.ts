import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { UsageRecorder } from '../records/usage-recorder.service.js';
import type { PeriodSpan } from './period.js';

/** What the records say that an account has spent: the truth that budgets begin with. */
@Injectable()
export class Spent {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly recorder: UsageRecorder,
  ) {}

  /**
   * Billionths of a dollar that a key or a group has spent in a period.
   *
   * @throws the database's error when it cannot be asked
   */
  async within(account: string, { start, end }: PeriodSpan): Promise<number> {
    await this.recorder.flush();
    const isGroup = account.startsWith('group_');
    // Their transaction may be committed at any moment, so they are counted here and left out there.
    const unstored = this.recorder.unstored.filter(
      ({ groupId, keyId, createdAt }) =>
        (isGroup ? groupId : keyId) === account && createdAt >= start && createdAt < end,
    );
    const { dialect } = this.database;
    const ids = dialect.isSqlite ? 'SELECT value FROM json_each($4)' : 'SELECT json_array_elements_text($4::json)';
    const { rows } = await runSql<{ nanos: string | number | null }>(
      this.dataSource.manager,
      dialect,
      `SELECT SUM(cost_nanos) AS nanos FROM usage_record WHERE ${isGroup ? 'group_id' : 'key_id'} = $1 AND created_at >= $2 AND created_at < $3${unstored.length === 0 ? '' : ` AND id NOT IN (${ids})`}`,
      [
        account,
        start,
        Math.min(end, Number.MAX_SAFE_INTEGER),
        ...(unstored.length === 0 ? [] : [JSON.stringify(unstored.map(({ id }) => id))]),
      ],
    );
    return unstored.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), Number(rows[0]?.nanos ?? 0));
  }
}
