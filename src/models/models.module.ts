import { Module } from '@nestjs/common';
import { KnownModels } from './known-models.js';
import { ModelList } from './model-list.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { ProviderRegistry } from './provider-registry.js';

@Module({
  controllers: [ModelsController],
  providers: [ProviderRegistry, KnownModels, ModelList, ModelsService],
  exports: [ModelsService],
})
export class ModelsModule {}
