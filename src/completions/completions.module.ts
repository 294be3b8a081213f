import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { CompletionsController } from './completions.controller.js';

/** OpenAI's legacy completions. */
@Module({ imports: [AuthModule, ModelEndpointModule], controllers: [CompletionsController] })
export class CompletionsModule {}
