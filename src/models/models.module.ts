import { Module } from '@nestjs/common';
import { AdminDeploymentsController } from './deployments/admin-deployments.controller.js';
import { Deployments } from './deployments/deployments.service.js';
import { KnownModels } from './known-models.js';
import { ModelList } from './model-list.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { ProviderRegistry } from './provider-registry.js';

@Module({
  controllers: [ModelsController, AdminDeploymentsController],
  providers: [ProviderRegistry, KnownModels, ModelList, ModelsService, Deployments],
  exports: [ModelsService, Deployments],
})
export class ModelsModule {}
