import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { RerankController } from './rerank.controller.js';
import { RerankEndpoint, RerankV2Endpoint } from './rerank-endpoint.js';

@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule],
  controllers: [RerankController],
  providers: [RerankEndpoint, RerankV2Endpoint],
})
export class RerankModule {}
