import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { CompletionsController } from './completions.controller.js';
import { CompletionsEndpoint } from './completions-endpoint.js';

/** OpenAI's legacy completions. */
@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule],
  controllers: [CompletionsController],
  providers: [CompletionsEndpoint],
})
export class CompletionsModule {}
