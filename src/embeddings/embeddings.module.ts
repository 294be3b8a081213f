import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { EmbeddingsController } from './embeddings.controller.js';

@Module({ imports: [AuthModule, ModelEndpointModule], controllers: [EmbeddingsController] })
export class EmbeddingsModule {}
