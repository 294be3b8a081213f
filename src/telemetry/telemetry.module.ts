import { Global, Module } from '@nestjs/common';
import { CallsModule } from '../calls/calls.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { CallMetrics } from './call-metrics.js';
import { CallLog } from './call-log.js';
import { DatabaseMetrics } from './database-metrics.js';
import { DeploymentMetrics } from './deployment-metrics.js';
import { HttpMetrics } from './http-metrics.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { MetricsServer } from '../metrics/metrics-server.js';

/** The metrics of the process, for every module that counts something, and the metrics that apply everywhere. */
@Global()
@Module({
  imports: [CallsModule, LifecycleModule, PricingModule, RoutingModule],
  controllers: [MetricsController],
  providers: [MetricsRegistry, CallLog, CallMetrics, DatabaseMetrics, DeploymentMetrics, HttpMetrics, MetricsServer],
  exports: [MetricsRegistry],
})
export class TelemetryModule {}
