import { Module } from '@nestjs/common';
import { CallsModule } from '../calls/calls.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { ChatService } from './chat.service.js';

/** Runs calls: candidates, attempts, retries, fallbacks. */
@Module({
  imports: [CallsModule, LimitsModule, PricingModule, RoutingModule],
  providers: [ChatService],
  exports: [ChatService],
})
export class EngineModule {}
