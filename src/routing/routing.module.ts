import { Module } from '@nestjs/common';
import { DeploymentList } from './deployments/deployment-list.service.js';
import { DeploymentQueue } from './deployments/deployment-queue.js';
import { Deployments } from './deployments/deployments.service.js';
import { SharedHealth } from './deployments/shared-health.js';
import { Routing } from './routing.service.js';

/** Which deployments a model has, and how each of them is doing. */
@Module({
  providers: [Routing, Deployments, DeploymentQueue, DeploymentList, SharedHealth],
  exports: [Routing, Deployments, DeploymentQueue, DeploymentList],
})
export class RoutingModule {}
