import { Module } from '@nestjs/common';
import { AdminDeploymentsController } from './deployments/admin-deployments.controller.js';
import { DeploymentList } from './deployments/deployment-list.service.js';
import { DeploymentQueue } from './deployments/deployment-queue.js';
import { SharedHealth } from './deployments/shared-health.js';
import { Deployments } from './deployments/deployments.service.js';
import { KnownModels } from './known-models.js';
import { ModelList } from './model-list.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { Routing } from './routing/routing.service.js';

@Module({
  controllers: [ModelsController, AdminDeploymentsController],
  providers: [
    Routing,
    KnownModels,
    ModelList,
    ModelsService,
    Deployments,
    DeploymentQueue,
    DeploymentList,
    SharedHealth,
  ],
  exports: [ModelsService, Deployments, DeploymentQueue, DeploymentList, Routing],
})
export class ModelsModule {}
