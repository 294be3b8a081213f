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
    const column = account.startsWith('group_') ? 'group_id' : 'key_id';
    const { rows } = await runSql<{ nanos: string | number | null }>(
      this.dataSource.manager,
      this.database.dialect,
      `SELECT SUM(cost_nanos) AS nanos FROM usage_record WHERE ${column} = $1 AND created_at >= $2 AND created_at < $3`,
      [account, start, Math.min(end, Number.MAX_SAFE_INTEGER)],
    );
    return Number(rows[0]?.nanos ?? 0);
  }
}
