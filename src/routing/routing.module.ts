import { Module } from '@nestjs/common';
import { BreakerProber } from './deployments/breaker-prober.service.js';
import { DeploymentReport } from './deployments/deployment-report.service.js';
import { DeploymentLimiter } from './deployments/deployment-limiter.js';
import { Deployments } from './deployments/deployments.service.js';
import { OutlierEjection } from './deployments/outlier-ejection.service.js';
import { SharedHealth } from './deployments/shared-health.js';
import { Routing } from './routing.service.js';

/** The deployments of models and their health. */
@Module({
  providers: [Routing, Deployments, DeploymentLimiter, DeploymentReport, SharedHealth, OutlierEjection, BreakerProber],
  exports: [Routing, Deployments, DeploymentLimiter, DeploymentReport],
})
export class RoutingModule {}
