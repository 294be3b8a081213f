import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { ModerationsController } from './moderations.controller.js';
import { ModerationsEndpoint } from './moderations-endpoint.js';

@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule, RoutingModule],
  controllers: [ModerationsController],
  providers: [ModerationsEndpoint],
})
export class ModerationsModule {}
