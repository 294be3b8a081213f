import { Injectable, Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { Budget } from '../auth/spending.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import { describeError } from '../errors/describe-error.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { postWebhook } from '../webhooks/post-webhook.js';
import { WebhookPool } from '../webhooks/webhook-pool.js';
import { eventBody, slackBody, type BudgetEvent, type BudgetEventType } from './budget-event.js';
import { periodId } from './period.js';
import type { Reservation } from './budget-ledger.js';

const DEFAULT_THRESHOLDS: readonly number[] = [0.8];
/** Part of a budget that is spent when a request that does not fit shows that it is exhausted, not the request too large. */
const EXHAUSTED_PART = 0.5;
const NANOS_PER_DOLLAR = 1e9;
/** Pauses before further tries, in milliseconds. */
const PAUSES = [1_000, 10_000, 60_000];
/** Alerts that this process remembers to have seen, so that it does not ask the database at each call. */
const MAX_ENTRIES = 20_000;
/** Alerts are the operator's own: in the pool they have a share beside those of the keys. */
const POOL_OWNER = 'alerts';
const MESSAGES: Record<BudgetEventType, string> = {
  'budget.threshold_reached': 'a budget has reached a threshold',
  'budget.exhausted': 'a budget is exhausted',
};

type BudgetPeriod = Pick<Reservation, 'account' | 'period'>;

/**
 * Logs, counts and posts to the webhook under `alerts` when a budget has been spent up to one of its thresholds and when it is
 * exhausted, each once in each period.
 */
@Injectable()
export class BudgetAlerts {
  private readonly logger = new Logger('Budgets');
  private readonly seen = new Set<string>();
  private readonly given: Counter<'type'>;

  constructor(
    private readonly config: GatewayConfig,
    private readonly database: Database,
    private readonly pool: WebhookPool,
    metrics: MetricsRegistry,
  ) {
    this.given = new Counter({
      name: 'gateway_budget_events_total',
      help: 'Budgets that reached a threshold or were exhausted, once in each period.',
      labelNames: ['type'],
      registers: [metrics.registry],
    });
    for (const type of Object.keys(MESSAGES)) this.given.inc({ type: type.slice('budget.'.length) }, 0);
  }

  /** @param spent billionths of a dollar, in the period of the reservation */
  watch({ account, period }: BudgetPeriod, budget: Budget, spent: number): void {
    const limit = budget.usd * NANOS_PER_DOLLAR;
    for (const threshold of budget.soft_thresholds ?? DEFAULT_THRESHOLDS) {
      if (spent < threshold * limit) continue;
      this.give({
        type: 'budget.threshold_reached',
        account,
        budget,
        threshold,
        spent,
        period: period.name,
        periodId: periodId(period),
      });
    }
    if (spent >= limit) this.exhausted({ account, period }, budget, spent);
  }

  /** A request was refused because it did not fit in what is left. @param spent billionths of a dollar */
  refused(owner: BudgetPeriod, budget: Budget, spent: number): void {
    if (spent >= EXHAUSTED_PART * budget.usd * NANOS_PER_DOLLAR) this.exhausted(owner, budget, spent);
  }

  private exhausted({ account, period }: BudgetPeriod, budget: Budget, spent: number): void {
    this.give({
      type: 'budget.exhausted',
      account,
      budget,
      threshold: 1,
      spent,
      period: period.name,
      periodId: periodId(period),
    });
  }

  private give(event: BudgetEvent): void {
    const { type, account, periodId: period, budget, threshold } = event;
    const id = `${account}:${period}:${budget.usd}:${type === 'budget.exhausted' ? 'exhausted' : threshold}`;
    if (this.seen.has(id)) return;
    if (this.seen.size >= MAX_ENTRIES) this.seen.clear();
    this.seen.add(id);
    this.giveOnce(id, event).catch((error: unknown) => {
      this.seen.delete(id);
      this.logger.warn({ msg: 'a budget alert could not be given', error: describeError(error) });
    });
  }

  private async giveOnce(id: string, event: BudgetEvent): Promise<void> {
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        this.database.dialect,
        'INSERT INTO budget_alert (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING',
        [id, Date.now()],
      ),
    );
    if (affected === 0) return;
    const { type, account, budget, threshold, spent, period } = event;
    this.given.inc({ type: type.slice('budget.'.length) });
    const spentUsd = spent / NANOS_PER_DOLLAR;
    this.logger.warn({ msg: MESSAGES[type], account, period, threshold, budget_usd: budget.usd, spent_usd: spentUsd });
    const { webhook } = this.config.alerts;
    if (webhook === undefined) return;
    const { url, secret, format } = webhook;
    const delivery = `evt_${id}`;
    const body = JSON.stringify(format === 'slack' ? slackBody(event) : eventBody(delivery, event));
    for (let tried = 0; ; tried += 1) {
      try {
        await this.pool.run(POOL_OWNER, async () => {
          const status = await postWebhook({ url, secret, id: delivery, body }, this.config.webhooks.allowPrivate);
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
