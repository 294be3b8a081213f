import { Injectable, Logger } from '@nestjs/common';
import type { Budget } from '../../auth/spending.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { describeError } from '../../errors/describe-error.js';
import { postWebhook } from '../../webhook/post-webhook.js';
import { WebhookPool } from '../../webhook/webhook-pool.js';
import type { Reservation } from './budget-ledger.js';

const DEFAULT_THRESHOLDS: readonly number[] = [0.8];
/** Pauses before further tries, in milliseconds. */
const PAUSES = [1_000, 10_000, 60_000];
/** Alerts that this process remembers to have seen, so that it does not ask the database at each call. */
const MOST = 20_000;
/** Alerts are the operator's own: in the pool they have a share beside those of the keys. */
const POOL_OWNER = 'alerts';

/** Tells the webhook under `alerts` when a budget has been spent up to one of its thresholds, once in each period. */
@Injectable()
export class BudgetAlerts {
  private readonly logger = new Logger('Budgets');
  private readonly seen = new Set<string>();

  constructor(
    private readonly config: GatewayConfig,
    private readonly database: Database,
    private readonly pool: WebhookPool,
  ) {}

  /** @param spent billionths of a dollar, in the period of the reservation */
  watch({ account, period }: Pick<Reservation, 'account' | 'period'>, budget: Budget, spent: number): void {
    const limit = budget.usd * 1e9;
    for (const threshold of budget.soft_thresholds ?? DEFAULT_THRESHOLDS) {
      if (spent < threshold * limit) continue;
      const id = `${account}:${period.name}:${budget.usd}:${threshold}`;
      if (this.seen.has(id)) continue;
      if (this.seen.size >= MOST) this.seen.clear();
      this.seen.add(id);
      this.give(id, { account, budget, threshold, spent, period: period.name }).catch((error: unknown) => {
        this.seen.delete(id);
        this.logger.warn({ msg: 'a budget alert could not be given', error: describeError(error) });
      });
    }
  }

  private async give(
    id: string,
    alert: { account: string; budget: Budget; threshold: number; spent: number; period: string },
  ): Promise<void> {
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        this.database.dialect,
        'INSERT INTO budget_alert (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING',
        [id, Date.now()],
      ),
    );
    if (affected === 0) return;
    const { account, budget, threshold, spent, period } = alert;
    this.logger.warn({ msg: 'a budget has reached a threshold', account, period, threshold, budget_usd: budget.usd });
    const { webhook } = this.config.alerts;
    if (webhook === undefined) return;
    const event = `evt_${id}`;
    const body = JSON.stringify({
      id: event,
      object: 'event',
      type: 'budget.threshold_reached',
      created_at: Math.floor(Date.now() / 1_000),
      data: {
        id: account,
        period: budget.period,
        period_start: period,
        threshold,
        budget_usd: budget.usd,
        spent_usd: spent / 1e9,
      },
    });
    for (let tried = 0; ; tried += 1) {
      try {
        await this.pool.run(POOL_OWNER, async () => {
          const status = await postWebhook({ ...webhook, id: event, body }, this.config.webhooks.allowPrivate);
          if (status < 200 || status >= 300) throw new Error(`answered ${status}`);
        });
        return;
      } catch (error) {
        const pause = PAUSES[tried];
        if (pause === undefined) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
  }
}
