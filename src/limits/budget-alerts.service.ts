import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Counter } from 'prom-client';
import { DataSource } from 'typeorm';
import type { Budget } from '../auth/spending.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import { describeError } from '../errors/describe-error.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { DeliveryQueue, type DeliveryTable, type DueDelivery } from '../deliveries/delivery-queue.js';
import { DeliverySender } from '../deliveries/delivery-sender.js';
import type { WebhookDelivery } from '../webhooks/post-webhook.js';
import { WebhookPool } from '../webhooks/webhook-pool.js';
import { eventBody, slackBody, type BudgetEvent, type BudgetEventType } from './budget-event.js';
import { periodId } from './period.js';
import type { Reservation } from './budget-ledger.js';

const DEFAULT_THRESHOLDS: readonly number[] = [0.8];
/** Share of a budget that must be spent for a refused request to count as "budget exhausted" rather than "request too large". */
const EXHAUSTED_PART = 0.5;
const NANOS_PER_DOLLAR = 1e9;
/** Milliseconds between two looks for deliveries that failed, or that another process has left. */
const SWEEP_MS = 5_000;
/** Alerts that this process remembers to have seen, so that it does not ask the database at each call. */
const MAX_ENTRIES = 20_000;
/** Alerts belong to the operator: in the pool they have their own share beside the keys. */
const POOL_OWNER = 'alerts';
const MESSAGES: Record<BudgetEventType, string> = {
  'budget.threshold_reached': 'a budget has reached a threshold',
  'budget.exhausted': 'a budget is exhausted',
};

interface DueAlert extends DueDelivery {
  readonly event: string | null;
  readonly created_at: string | number;
}

/** Deliveries of alerts, in the rows of the alerts. */
export const BUDGET_ALERTS: DeliveryTable = { name: 'budget_alert', owner: 'owner', columns: ['event', 'created_at'] };

type BudgetPeriod = Pick<Reservation, 'account' | 'period'>;

/**
 * Logs, counts and posts to the webhook under `alerts` when a budget has been spent up to one of its thresholds and when it is
 * exhausted, each once in each period.
 */
@Injectable()
export class BudgetAlerts implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Budgets');
  private readonly seen = new Set<string>();
  private readonly given: Counter<'type'>;
  private readonly sender: DeliverySender<DueAlert>;
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(
    private readonly config: GatewayConfig,
    private readonly database: Database,
    dataSource: DataSource,
    pool: WebhookPool,
    metrics: MetricsRegistry,
  ) {
    this.given = new Counter({
      name: 'gateway_budget_events_total',
      help: 'Budgets that reached a threshold or were exhausted, once in each period.',
      labelNames: ['type'],
      registers: [metrics.registry],
    });
    this.sender = new DeliverySender(new DeliveryQueue<DueAlert>(BUDGET_ALERTS, database, dataSource), pool, {
      message: (due) => this.messageOf(due),
      logFields: ({ id }) => ({ alert: id }),
      allowPrivate: config.webhooks.allowPrivate,
      isDraining: () => this.isStopping,
    });
    for (const type of Object.keys(MESSAGES)) this.given.inc({ type: type.slice('budget.'.length) }, 0);
  }

  onApplicationBootstrap(): void {
    if (this.config.alerts.webhook === undefined) return;
    this.timer = setInterval(() => void this.sendDue(), SWEEP_MS).unref();
    void this.sendDue();
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.timer);
    await this.sender.stop();
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

  /** A request was refused because it did not fit in the rest of the budget. @param spent billionths of a dollar */
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

  /** The row is what other processes see of the alert and what a sweep delivers, so that a crash after it loses nothing. */
  private async giveOnce(id: string, event: BudgetEvent): Promise<void> {
    const { dialect } = this.database;
    const isDelivered = this.config.alerts.webhook !== undefined;
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        dialect,
        `INSERT INTO budget_alert (id, created_at, owner, event, webhook_attempts, webhook_due_at)
         VALUES ($1, $2, $3, $4, 0, ${isDelivered ? dialect.now : 'NULL'}) ON CONFLICT (id) DO NOTHING`,
        [id, Date.now(), POOL_OWNER, JSON.stringify(event)],
      ),
    );
    if (affected === 0) return;
    const { type, account, budget, threshold, spent, period } = event;
    this.given.inc({ type: type.slice('budget.'.length) });
    const spentUsd = spent / NANOS_PER_DOLLAR;
    this.logger.warn({ msg: MESSAGES[type], account, period, threshold, budget_usd: budget.usd, spent_usd: spentUsd });
    if (isDelivered) await this.sendDue();
  }

  private async sendDue(): Promise<void> {
    try {
      await this.sender.sendDue();
    } catch (error) {
      this.logger.debug({ msg: 'looking for alerts failed; trying again', error: describeError(error) });
    }
  }

  private messageOf({ id: alertId, event, created_at: createdAt }: DueAlert): WebhookDelivery | undefined {
    const { webhook } = this.config.alerts;
    if (webhook === undefined || event === null) return undefined;
    const { url, secret, format } = webhook;
    const id = `evt_${alertId}`;
    const parsed = JSON.parse(event) as BudgetEvent;
    const body = format === 'slack' ? slackBody(parsed) : eventBody(id, parsed, Math.floor(Number(createdAt) / 1_000));
    return { url, secret, id, body: JSON.stringify(body) };
  }
}
