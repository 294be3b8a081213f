import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../../database/database.js';
import { runSql, type SqlDialect } from '../../database/sql.js';

/** Keys that are looked at in one statement. */
export const KEYS_PER_POLL = 256;
/** How long a delivery is held by the process that tries it; after a crash another process tries again then. */
const HOLD_MS = 60_000;

/** A delivery that this process holds. */
export interface DueWebhook {
  readonly id: string;
  readonly key_id: string;
  readonly status: string;
  readonly webhook_url: string;
  readonly webhook_secret: string;
  readonly webhook_attempts: number;
  readonly completed_at: string | number;
}

export interface KeyWithWebhooks {
  readonly keyId: string;
  readonly isDue: boolean;
}

/** The statements of the queue of deliveries. Each walks a partial index, whatever the number of jobs. */
export const WEBHOOK_STATEMENTS = {
  anyDue: ({ now }: SqlDialect): string => `SELECT id FROM batch_job WHERE webhook_due_at <= ${now} LIMIT 1`,

  /** Steps from key to key through the index: $1 is the key to begin after. */
  keysAfter: ({ now }: SqlDialect): string =>
    `WITH RECURSIVE keys(key_id, place) AS (
       SELECT (SELECT MIN(j.key_id) FROM batch_job j WHERE j.webhook_due_at IS NOT NULL AND j.key_id > $1), 1
       UNION ALL
       SELECT (SELECT MIN(j.key_id) FROM batch_job j WHERE j.webhook_due_at IS NOT NULL AND j.key_id > keys.key_id), place + 1
       FROM keys WHERE keys.key_id IS NOT NULL AND place < ${KEYS_PER_POLL})
     SELECT keys.key_id AS key_id, CASE WHEN
       (SELECT MIN(j.webhook_due_at) FROM batch_job j WHERE j.webhook_due_at IS NOT NULL AND j.key_id = keys.key_id) <= ${now}
       THEN 1 ELSE 0 END AS is_due
     FROM keys WHERE keys.key_id IS NOT NULL`,

  /** $1 is a JSON array of keys, $2 how many deliveries of each. */
  claim: ({ now, isSqlite }: SqlDialect): string => {
    const oldestOf = (key: string, lock: string): string =>
      `SELECT id FROM batch_job WHERE key_id = ${key} AND webhook_due_at <= ${now}
       ORDER BY webhook_due_at LIMIT CAST($2 AS INTEGER) ${lock}`;
    const picked = isSqlite
      ? `SELECT j.id AS job_id FROM json_each($1) AS wanted
         CROSS JOIN batch_job j WHERE j.id IN (${oldestOf('wanted.value', '')})`
      : `SELECT due.id AS job_id FROM json_array_elements_text(CAST($1 AS JSON)) AS wanted(key_id)
         CROSS JOIN LATERAL (${oldestOf('wanted.key_id', 'FOR UPDATE SKIP LOCKED')}) AS due`;
    return `WITH picked AS MATERIALIZED (${picked})
      UPDATE batch_job SET webhook_due_at = ${now} + ${HOLD_MS}, webhook_attempts = webhook_attempts + 1
      FROM picked WHERE id = picked.job_id
      RETURNING id, key_id, status, webhook_url, webhook_secret, webhook_attempts, completed_at`;
  },
};

/** Deliveries of finished jobs that are to be made, kept in the rows of their jobs. */
@Injectable()
export class WebhookQueue {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {
    this.dialect = database.dialect;
  }

  async isAnyDue(): Promise<boolean> {
    const { rows } = await runSql(this.dataSource.manager, this.dialect, WEBHOOK_STATEMENTS.anyDue(this.dialect));
    return rows.length > 0;
  }

  /** Keys that have deliveries to make, now or later, in the order of their ids: `KEYS_PER_LOOK` of them at most. */
  async keysAfter(keyId: string): Promise<readonly KeyWithWebhooks[]> {
    const { rows } = await runSql<{ key_id: string; is_due: number }>(
      this.dataSource.manager,
      this.dialect,
      WEBHOOK_STATEMENTS.keysAfter(this.dialect),
      [keyId],
    );
    return rows.map((row) => ({ keyId: row.key_id, isDue: row.is_due === 1 }));
  }

  /** Takes the oldest deliveries of each key that are due, up to `count` of each, and holds them for a minute. */
  async claim(keyIds: readonly string[], count: number): Promise<readonly DueWebhook[]> {
    if (keyIds.length === 0) return [];
    return this.database.transaction(async (manager) => {
      const { rows } = await runSql<DueWebhook>(manager, this.dialect, WEBHOOK_STATEMENTS.claim(this.dialect), [
        JSON.stringify(keyIds),
        count,
      ]);
      return rows;
    });
  }

  /** Ends a delivery, or has it tried again after `delay` milliseconds; nothing if another process holds it by now. */
  async settle({ id, webhook_attempts: attempts }: DueWebhook, delay: number | null): Promise<void> {
    const dueAt = delay === null ? 'NULL' : `${this.dialect.now} + ${Math.round(delay)}`;
    await this.database.transaction((manager) =>
      runSql(
        manager,
        this.dialect,
        `UPDATE batch_job SET webhook_due_at = ${dueAt} WHERE id = $1 AND webhook_attempts = $2`,
        [id, attempts],
      ),
    );
  }
}
