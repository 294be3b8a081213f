import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BreakerProber } from './deployments/breaker-prober.service.js';
import { DeploymentDrain } from './deployments/deployment-drain.entity.js';
import { DeploymentReport } from './deployments/deployment-report.service.js';
import { DeploymentLimiter } from './deployments/deployment-limiter.js';
import { Deployments } from './deployments/deployments.service.js';
import { OutlierEjection } from './deployments/outlier-ejection.service.js';
import { SharedDrains } from './deployments/shared-drains.js';
import { SharedHealth } from './deployments/shared-health.js';
import { Routing } from './routing.service.js';

/** The deployments of models and their health. */
@Module({
  imports: [TypeOrmModule.forFeature([DeploymentDrain])],
  providers: [
    Routing,
    Deployments,
    DeploymentLimiter,
    DeploymentReport,
    SharedDrains,
    SharedHealth,
    OutlierEjection,
    BreakerProber,
  ],
  exports: [Routing, Deployments, DeploymentLimiter, DeploymentReport, SharedDrains],
})
export class RoutingModule {}
