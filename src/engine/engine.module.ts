import { Module } from '@nestjs/common';
import { CallsModule } from '../calls/calls.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { AttemptLoop } from './attempt-loop.js';
import { DeferredRun } from './deferred-run.js';
import { Engine } from './engine.js';
import { HookRunner } from './hook-runner.js';

/** Runs calls: candidates, attempts, retries, fallbacks. */
@Module({
  imports: [CallsModule, LimitsModule, PricingModule, RoutingModule],
  providers: [AttemptLoop, DeferredRun, Engine, HookRunner],
  exports: [Engine],
})
export class EngineModule {}
