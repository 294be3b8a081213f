import { Module } from '@nestjs/common';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { ModelCatalog } from './model-catalog.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';

@Module({
  imports: [PricingModule, RoutingModule],
  controllers: [ModelsController],
  providers: [ModelCatalog, ModelsService],
  exports: [ModelsService],
})
export class ModelsModule {}
