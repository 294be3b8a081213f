import type { DataSource } from 'typeorm';
import type { Database } from '../database/database.js';
import { runSql, type SqlDialect } from '../database/sql.js';

/** Owners that are looked at in one statement. */
export const OWNERS_PER_POLL = 256;
/** How long a delivery is held by the process that tries it; after a crash another process tries again then. */
const HOLD_MS = 60_000;

/**
 * A table with deliveries in its rows: `webhook_due_at` is when the next attempt is made, null if there is none to make, and
 * `webhook_attempts` counts attempts. It has partial indexes by `webhook_due_at`, and by owner and `webhook_due_at`.
 */
export interface DeliveryTable {
  readonly name: string;
  /** The column with the owner of the delivery. */
  readonly owner: string;
  /** Further columns that a delivery is made from. */
  readonly columns: readonly string[];
}

/** A delivery that this process holds. */
export interface DueDelivery {
  readonly id: string;
  readonly owner: string;
  readonly webhook_attempts: number;
}

/** An owner of deliveries, between whom slots are shared. */
export interface DeliveryOwner {
  readonly ownerId: string;
  readonly isDue: boolean;
}

/** The SQL statements of a table with deliveries. */
export interface DeliveryStatements {
  readonly anyDue: (dialect: SqlDialect) => string;
  /** Steps from owner to owner through the index: $1 is the owner to begin after. */
  readonly ownersAfter: (dialect: SqlDialect) => string;
  /** $1 is a JSON array of owners, $2 how many deliveries of each. */
  readonly claim: (dialect: SqlDialect) => string;
}

/** The statements of a queue of deliveries. Each uses a partial index, for any number of rows. */
export function deliveryStatements({ name, owner, columns }: DeliveryTable): DeliveryStatements {
  return {
    anyDue: ({ now }) => `SELECT id FROM ${name} WHERE webhook_due_at <= ${now} LIMIT 1`,

    ownersAfter: ({ now }) =>
      `WITH RECURSIVE owners(id, place) AS (
         SELECT (SELECT MIN(j.${owner}) FROM ${name} j WHERE j.webhook_due_at IS NOT NULL AND j.${owner} > $1), 1
         UNION ALL
         SELECT (SELECT MIN(j.${owner}) FROM ${name} j WHERE j.webhook_due_at IS NOT NULL AND j.${owner} > owners.id), place + 1
         FROM owners WHERE owners.id IS NOT NULL AND place < ${OWNERS_PER_POLL})
       SELECT owners.id AS owner, CASE WHEN
         (SELECT MIN(j.webhook_due_at) FROM ${name} j WHERE j.webhook_due_at IS NOT NULL AND j.${owner} = owners.id) <= ${now}
         THEN 1 ELSE 0 END AS is_due
       FROM owners WHERE owners.id IS NOT NULL`,

    claim: ({ now, isSqlite }) => {
      const oldestOf = (value: string, lock: string): string =>
        `SELECT id FROM ${name} WHERE ${owner} = ${value} AND webhook_due_at <= ${now}
         ORDER BY webhook_due_at LIMIT CAST($2 AS INTEGER) ${lock}`;
      const picked = isSqlite
        ? `SELECT j.id AS row_id FROM json_each($1) AS wanted
           CROSS JOIN ${name} j WHERE j.id IN (${oldestOf('wanted.value', '')})`
        : `SELECT due.id AS row_id FROM json_array_elements_text(CAST($1 AS JSON)) AS wanted(owner)
           CROSS JOIN LATERAL (${oldestOf('wanted.owner', 'FOR UPDATE SKIP LOCKED')}) AS due`;
      return `WITH picked AS MATERIALIZED (${picked})
        UPDATE ${name} SET webhook_due_at = ${now} + ${HOLD_MS}, webhook_attempts = webhook_attempts + 1
        FROM picked WHERE id = picked.row_id
        RETURNING ${['id', `${owner} AS owner`, 'webhook_attempts', ...columns].join(', ')}`;
    },
  };
}

/**
 * Deliveries to make. They are kept in the rows of the jobs or budgets that they report, so that none is lost when a process
 * ends.
 */
export class DeliveryQueue<Due extends DueDelivery> {
  private readonly dialect: SqlDialect;
  private readonly statements: DeliveryStatements;

  constructor(
    private readonly table: DeliveryTable,
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {
    this.dialect = database.dialect;
    this.statements = deliveryStatements(table);
  }

  async isAnyDue(): Promise<boolean> {
    const { rows } = await runSql(this.dataSource.manager, this.dialect, this.statements.anyDue(this.dialect));
    return rows.length > 0;
  }

  /** Owners that have deliveries to make, now or later, in the order of their ids: `OWNERS_PER_POLL` of them at most. */
  async ownersAfter(ownerId: string): Promise<readonly DeliveryOwner[]> {
    const { rows } = await runSql<{ owner: string; is_due: number }>(
      this.dataSource.manager,
      this.dialect,
      this.statements.ownersAfter(this.dialect),
      [ownerId],
    );
    return rows.map((row) => ({ ownerId: row.owner, isDue: row.is_due === 1 }));
  }

  /** Takes the oldest deliveries of each owner that are due, up to `count` of each, and holds them for a minute. */
  async claim(ownerIds: readonly string[], count: number): Promise<readonly Due[]> {
    if (ownerIds.length === 0) return [];
    return this.database.transaction(async (manager) => {
      const { rows } = await runSql<Due>(manager, this.dialect, this.statements.claim(this.dialect), [
        JSON.stringify(ownerIds),
        count,
      ]);
      return rows;
    });
  }

  /** Ends a delivery, or has it tried again after `delay` milliseconds; nothing if another process holds it by now. */
  async settle({ id, webhook_attempts: attempts }: DueDelivery, delayMs: number | null): Promise<void> {
    const dueAt = delayMs === null ? 'NULL' : `${this.dialect.now} + ${Math.round(delayMs)}`;
    await this.database.transaction((manager) =>
      runSql(
        manager,
        this.dialect,
        `UPDATE ${this.table.name} SET webhook_due_at = ${dueAt} WHERE id = $1 AND webhook_attempts = $2`,
        [id, attempts],
      ),
    );
  }
}
