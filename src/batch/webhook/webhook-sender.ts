import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql, SqlDialect } from '../../database/sql.js';
import { describeError } from '../../errors/describe-error.js';
import { postWebhook } from '../../webhook/post-webhook.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Gaps between deliveries that failed; together a little under three days. */
const GAPS = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
  24 * HOUR,
];
/** How long a delivery is held by the process that tries it; after a crash another process tries again then. */
const HOLD = 60 * SECOND;

interface DueRow {
  id: string;
  status: string;
  webhook_url: string;
  webhook_secret: string;
  webhook_attempts: number;
  completed_at: string | number;
}

/** Tells clients that their jobs have ended: at least once, signed, with growing gaps until it is taken. */
@Injectable()
export class WebhookSender {
  private readonly logger = new Logger('Webhooks');
  private readonly dialect: SqlDialect;
  private sending: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly config: GatewayConfig,
  ) {
    this.dialect = database.dialect;
  }

  /** Tries every delivery that is due. Safe in any number of processes. */
  async sendDue(): Promise<void> {
    this.sending ??= this.sendAllDue().finally(() => {
      this.sending = undefined;
    });
    await this.sending;
  }

  private async sendAllDue(): Promise<void> {
    for (;;) {
      const due = await this.claimDue();
      if (due.length === 0) return;
      await Promise.all(due.map((row) => this.deliver(row)));
    }
  }

  private async claimDue(): Promise<readonly DueRow[]> {
    const { now, isSqlite } = this.dialect;
    const { rows: waiting } = await runSql<{ id: string }>(
      this.dataSource.manager,
      this.dialect,
      `SELECT id FROM batch_job WHERE webhook_due_at <= ${now} LIMIT 1`,
    );
    if (waiting.length === 0) return [];
    return this.database.transaction(async (manager) => {
      const { rows } = await runSql<DueRow>(
        manager,
        this.dialect,
        `WITH picked AS MATERIALIZED (
           SELECT id AS job_id FROM batch_job WHERE webhook_due_at <= ${now} ORDER BY webhook_due_at LIMIT 20
           ${isSqlite ? '' : 'FOR UPDATE SKIP LOCKED'})
         UPDATE batch_job SET webhook_due_at = ${now} + ${HOLD}, webhook_attempts = webhook_attempts + 1
         FROM picked WHERE id = picked.job_id
         RETURNING id, status, webhook_url, webhook_secret, webhook_attempts, completed_at`,
      );
      return rows;
    });
  }

  private async deliver(row: DueRow): Promise<void> {
    const createdAt = Math.floor(Number(row.completed_at) / 1_000);
    const id = `evt_${row.id}`;
    const body = JSON.stringify({
      id,
      object: 'event',
      type: `batch.${row.status}`,
      created_at: createdAt,
      data: { id: row.id },
    });
    try {
      const delivery = { url: row.webhook_url, secret: row.webhook_secret, id, body };
      const status = await postWebhook(delivery, this.config.webhooks.allowPrivate);
      const isTaken = status >= 200 && status < 300;
      if (!isTaken && status !== 410) throw new Error(`answered ${status}`);
      if (!isTaken) this.logger.log({ msg: 'webhook is gone; not tried again', job_id: row.id });
      await this.reschedule(row.id, null);
    } catch (error) {
      const gap = GAPS[row.webhook_attempts - 1];
      this.logger.warn({
        msg: gap === undefined ? 'webhook given up' : 'webhook failed; trying again',
        job_id: row.id,
        attempts: row.webhook_attempts,
        error: describeError(error),
      });
      await this.reschedule(row.id, gap === undefined ? null : gap * (0.9 + Math.random() / 5)).catch(() => undefined);
    }
  }

  private async reschedule(jobId: string, gap: number | null): Promise<void> {
    await this.database.transaction((manager) =>
      runSql(
        manager,
        this.dialect,
        gap === null
          ? 'UPDATE batch_job SET webhook_due_at = NULL WHERE id = $1'
          : `UPDATE batch_job SET webhook_due_at = ${this.dialect.now} + ${Math.round(gap)} WHERE id = $1`,
        [jobId],
      ),
    );
  }
}
