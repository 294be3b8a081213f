import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import { describeError } from '../../errors/describe-error.js';
import { Shutdown } from '../../lifecycle/shutdown.service.js';
import { postWebhook } from '../../webhooks/post-webhook.js';
import { WebhookPool } from '../../webhooks/webhook-pool.js';
import { type DueWebhook, KEYS_PER_POLL, WebhookQueue } from './webhook-queue.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Gaps between deliveries that failed; together a little under three days. */
const GAPS_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
];
/** Deliveries of one key that are claimed at once. */
const CLAIM_PER_KEY = 2;
/** How long a shutdown waits for deliveries in flight, whose receivers would otherwise get them twice. */
const SHUTDOWN_GRACE_MS = 5_000;

/** Notifies clients that their jobs have ended: at least once, signed, with growing gaps until the receiver accepts. */
@Injectable()
export class WebhookSender implements OnModuleDestroy {
  private readonly logger = new Logger('Webhooks');
  private readonly delivering = new Set<Promise<void>>();
  /** The key after which the next look begins, so that each has its turn. */
  private cursor = '';
  private claiming: Promise<void> | undefined;
  private claimAgain = false;

  constructor(
    private readonly queue: WebhookQueue,
    private readonly pool: WebhookPool,
    private readonly shutdown: Shutdown,
    private readonly config: GatewayConfig,
  ) {}

  /** Starts every delivery that is due and for which there is room. Does not wait for them. Safe in any number of processes. */
  async sendDue(): Promise<void> {
    if (this.claiming !== undefined) {
      this.claimAgain = true;
      return this.claiming;
    }
    this.claiming = this.claimAll().finally(() => {
      this.claiming = undefined;
    });
    return this.claiming;
  }

  async onModuleDestroy(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SHUTDOWN_GRACE_MS);
    });
    await Promise.race([Promise.all(this.delivering), grace]);
    clearTimeout(timer);
  }

  private async claimAll(): Promise<void> {
    do {
      this.claimAgain = false;
      if (!(await this.queue.isAnyDue())) return;
      await this.claimRound();
    } while (this.isToClaimAgain());
  }

  private isToClaimAgain(): boolean {
    return this.claimAgain;
  }

  /** Looks at each key once, beginning after the last one that had its turn, and ends early when the pool is full. */
  private async claimRound(): Promise<void> {
    let isFirstLap = this.cursor !== '';
    while (!this.shutdown.isDraining && this.pool.room >= CLAIM_PER_KEY) {
      const keys = await this.queue.keysAfter(this.cursor);
      const due = keys.filter(({ keyId, isDue }) => isDue && this.pool.roomOf(keyId) >= CLAIM_PER_KEY);
      const chosen = due.slice(0, Math.floor(this.pool.room / CLAIM_PER_KEY)).map(({ keyId }) => keyId);
      const claimed = await this.queue.claim(chosen, CLAIM_PER_KEY);
      for (const webhook of claimed) this.start(webhook);
      const isLast = keys.length < KEYS_PER_POLL;
      if (chosen.length < due.length) {
        this.cursor = chosen.at(-1) ?? this.cursor;
        return;
      }
      this.cursor = isLast ? '' : (keys.at(-1)?.keyId ?? '');
      if (isLast && !isFirstLap) return;
      if (isLast) isFirstLap = false;
    }
  }

  private start(webhook: DueWebhook): void {
    const delivery = this.deliver(webhook).finally(() => {
      this.delivering.delete(delivery);
      void this.sendDue().catch((error: unknown) => {
        this.logger.debug({ msg: 'looking for webhooks failed; trying again', error: describeError(error) });
      });
    });
    this.delivering.add(delivery);
  }

  private async deliver(webhook: DueWebhook): Promise<void> {
    const { id: jobId, webhook_attempts: attempts } = webhook;
    try {
      const status = await this.pool.run(webhook.key_id, () => this.post(webhook));
      if (status === 410) this.logger.log({ msg: 'webhook is gone; not tried again', job_id: jobId });
      await this.queue.settle(webhook, null);
    } catch (error) {
      const gap = GAPS_MS[attempts - 1];
      this.logger.warn({
        msg: gap === undefined ? 'webhook given up' : 'webhook failed; trying again',
        job_id: jobId,
        key_id: webhook.key_id,
        attempts,
        error: describeError(error),
      });
      const delay = gap === undefined ? null : gap * (0.9 + Math.random() / 5);
      await this.queue.settle(webhook, delay).catch((settleError: unknown) => {
        this.logger.warn({ msg: 'a webhook is tried again after its hold', error: describeError(settleError) });
      });
    }
  }

  /** @throws when the receiver did not accept the event */
  private async post(webhook: DueWebhook): Promise<number> {
    const id = `evt_${webhook.id}`;
    const body = JSON.stringify({
      id,
      object: 'event',
      type: `batch.${webhook.status}`,
      created_at: Math.floor(Number(webhook.completed_at) / 1_000),
      data: { id: webhook.id },
    });
    const status = await postWebhook(
      { url: webhook.webhook_url, secret: webhook.webhook_secret, id, body },
      this.config.webhooks.allowPrivate,
    );
    if ((status < 200 || status >= 300) && status !== 410) throw new Error(`answered ${status}`);
    return status;
  }
}
