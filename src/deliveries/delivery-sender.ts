import { Logger } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import { type DeliveryQueue, type DueDelivery, OWNERS_PER_POLL } from './delivery-queue.js';
import { postWebhook, type WebhookDelivery } from '../webhooks/post-webhook.js';
import type { WebhookPool } from '../webhooks/webhook-pool.js';

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
/** Deliveries of one owner that are claimed at once. */
const CLAIM_PER_OWNER = 2;
/** How long a shutdown waits for deliveries in flight, whose receivers would otherwise get them twice. */
const SHUTDOWN_GRACE_MS = 5_000;

/** The kind of event that the deliveries of one table are about. */
export interface DeliveryKind<Due extends DueDelivery> {
  /** @returns undefined where there is no address any more: the delivery ends */
  readonly message: (due: Due) => WebhookDelivery | undefined;
  /** Fields of log lines about it. */
  readonly logFields: (due: Due) => object;
  /** Whether webhooks may go to private addresses. */
  readonly allowPrivate: boolean;
  /** Whether the process is about to end, so that no delivery should begin. */
  readonly isDraining: () => boolean;
}

/** Sends due deliveries: at least once, signed, with growing delays until the receiver accepts. Safe in any number of processes. */
export class DeliverySender<Due extends DueDelivery> {
  private readonly logger = new Logger('Webhooks');
  private readonly delivering = new Set<Promise<void>>();
  /** The owner after which the next poll begins, so that owners take turns. */
  private cursor = '';
  private claiming: Promise<void> | undefined;
  private claimAgain = false;

  constructor(
    private readonly queue: DeliveryQueue<Due>,
    private readonly pool: WebhookPool,
    private readonly kind: DeliveryKind<Due>,
  ) {}

  /** Starts every due delivery for which a slot is free. Does not wait for them. Safe in any number of processes. */
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

  /** Waits for deliveries in flight, for a while. */
  async stop(): Promise<void> {
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

  /** Polls each owner once, beginning after the last one that was served, and ends early when the pool is full. */
  private async claimRound(): Promise<void> {
    let isFirstLap = this.cursor !== '';
    while (!this.kind.isDraining() && this.pool.room >= CLAIM_PER_OWNER) {
      const owners = await this.queue.ownersAfter(this.cursor);
      const due = owners.filter(({ ownerId, isDue }) => isDue && this.pool.roomOf(ownerId) >= CLAIM_PER_OWNER);
      const chosen = due.slice(0, Math.floor(this.pool.room / CLAIM_PER_OWNER)).map(({ ownerId }) => ownerId);
      const claimed = await this.queue.claim(chosen, CLAIM_PER_OWNER);
      for (const due of claimed) this.start(due);
      const isLast = owners.length < OWNERS_PER_POLL;
      if (chosen.length < due.length) {
        this.cursor = chosen.at(-1) ?? this.cursor;
        return;
      }
      this.cursor = isLast ? '' : (owners.at(-1)?.ownerId ?? '');
      if (isLast && !isFirstLap) return;
      if (isLast) isFirstLap = false;
    }
  }

  private start(due: Due): void {
    const delivery = this.deliver(due).finally(() => {
      this.delivering.delete(delivery);
      void this.sendDue().catch((error: unknown) => {
        this.logger.debug({ msg: 'polling for webhooks failed; trying again', error: describeError(error) });
      });
    });
    this.delivering.add(delivery);
  }

  private async deliver(due: Due): Promise<void> {
    const attempts = due.webhook_attempts;
    try {
      const status = await this.pool.run(due.owner, () => this.post(due));
      if (status === 410) this.logger.log({ msg: 'webhook is gone; not tried again', ...this.kind.logFields(due) });
      await this.queue.settle(due, null);
    } catch (error) {
      const gap = GAPS_MS[attempts - 1];
      this.logger.warn({
        msg: gap === undefined ? 'webhook abandoned' : 'webhook failed; trying again',
        ...this.kind.logFields(due),
        attempts,
        error: describeError(error),
      });
      const delay = gap === undefined ? null : gap * (0.9 + Math.random() / 5);
      await this.queue.settle(due, delay).catch((settleError: unknown) => {
        this.logger.warn({ msg: 'a webhook is tried again after its hold', error: describeError(settleError) });
      });
    }
  }

  /** @throws when the receiver did not accept the event */
  private async post(due: Due): Promise<number | undefined> {
    const message = this.kind.message(due);
    if (message === undefined) return undefined;
    const status = await postWebhook(message, this.kind.allowPrivate);
    if ((status < 200 || status >= 300) && status !== 410) throw new Error(`the server responded with ${status}`);
    return status;
  }
}
