import { Module } from '@nestjs/common';
import { DeploymentReport } from './deployments/deployment-report.service.js';
import { DeploymentLimiter } from './deployments/deployment-limiter.js';
import { Deployments } from './deployments/deployments.service.js';
import { SharedHealth } from './deployments/shared-health.js';
import { Routing } from './routing.service.js';

/** Which deployments a model has, and how each of them is doing. */
@Module({
  providers: [Routing, Deployments, DeploymentLimiter, DeploymentReport, SharedHealth],
  exports: [Routing, Deployments, DeploymentLimiter, DeploymentReport],
})
export class RoutingModule {}
