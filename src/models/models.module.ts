import { Module } from '@nestjs/common';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { ModelList } from './model-list.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';

@Module({
  imports: [PricingModule, RoutingModule],
  controllers: [ModelsController],
  providers: [ModelList, ModelsService],
})
export class ModelsModule {}
