import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { RerankController } from './rerank.controller.js';

@Module({ imports: [AuthModule, ModelEndpointModule], controllers: [RerankController] })
export class RerankModule {}
