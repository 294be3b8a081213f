import { Module } from '@nestjs/common';
import { AdminDeploymentsController } from '../admin/deployments/admin-deployments.controller.js';
import { DeploymentList } from '../routing/deployments/deployment-list.service.js';
import { DeploymentQueue } from '../routing/deployments/deployment-queue.js';
import { SharedHealth } from '../routing/deployments/shared-health.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import { KnownModels } from '../pricing/known-models.js';
import { ModelList } from './model-list.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { Routing } from '../routing/routing.service.js';

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
