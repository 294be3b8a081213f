import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { Shutdown } from '../../lifecycle/shutdown.service.js';
import { DeliveryQueue, type DeliveryTable, type DueDelivery } from '../../deliveries/delivery-queue.js';
import { DeliverySender } from '../../deliveries/delivery-sender.js';
import type { WebhookDelivery } from '../../webhooks/post-webhook.js';
import { WebhookPool } from '../../webhooks/webhook-pool.js';

interface DueWebhook extends DueDelivery {
  readonly status: string;
  readonly webhook_url: string;
  readonly webhook_secret: string;
  readonly completed_at: string | number;
}

/** Deliveries of finished jobs, in the rows of their jobs. */
export const JOB_WEBHOOKS: DeliveryTable = {
  name: 'batch_job',
  owner: 'key_id',
  columns: ['status', 'webhook_url', 'webhook_secret', 'completed_at'],
};

/** Notifies clients that their jobs have ended. */
@Injectable()
export class WebhookSender implements OnModuleDestroy {
  private readonly sender: DeliverySender<DueWebhook>;

  constructor(
    database: Database,
    dataSource: DataSource,
    pool: WebhookPool,
    shutdown: Shutdown,
    config: GatewayConfig,
  ) {
    this.sender = new DeliverySender(new DeliveryQueue<DueWebhook>(JOB_WEBHOOKS, database, dataSource), pool, {
      message: messageOf,
      logFields: ({ id, owner }) => ({ job_id: id, key_id: owner }),
      allowPrivate: config.webhooks.allowPrivate,
      isDraining: () => shutdown.isDraining,
    });
  }

  /** Starts every due delivery for which a slot is free. Does not wait for them. */
  sendDue(): Promise<void> {
    return this.sender.sendDue();
  }

  onModuleDestroy(): Promise<void> {
    return this.sender.stop();
  }
}

function messageOf({
  id: jobId,
  status,
  webhook_url: url,
  webhook_secret: secret,
  completed_at: at,
}: DueWebhook): WebhookDelivery {
  const id = `evt_${jobId}`;
  const body = JSON.stringify({
    id,
    object: 'event',
    type: `batch.${status}`,
    created_at: Math.floor(Number(at) / 1_000),
    data: { id: jobId },
  });
  return { url, secret, id, body };
}
