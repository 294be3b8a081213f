import { Module } from '@nestjs/common';
import { WebhookPool } from './webhook-pool.js';

/** One pool for everything that posts webhooks. */
@Module({ providers: [WebhookPool], exports: [WebhookPool] })
export class WebhookModule {}
