import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { EmbeddingsEndpoint } from './embeddings-endpoint.js';

@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule],
  controllers: [EmbeddingsController],
  providers: [EmbeddingsEndpoint],
})
export class EmbeddingsModule {}
