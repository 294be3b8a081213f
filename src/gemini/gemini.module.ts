import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ErrorFormats } from '../http/error-formats.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { ModelsModule } from '../models/models.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { GEMINI } from '../wire/gemini/gemini-wire.js';
import { GeminiController } from './gemini.controller.js';
import { GeminiModels } from './gemini-models.js';
import { GeminiResponder } from './gemini-responder.js';

@Module({
  imports: [AuthModule, ModelEndpointModule, ModelsModule, RoutingModule],
  controllers: [GeminiController],
  providers: [GeminiModels, GeminiResponder],
})
export class GeminiModule {
  constructor(formats: ErrorFormats) {
    formats.add('/v1beta', (error, requestId) => GEMINI.writeError(error, requestId));
  }
}
