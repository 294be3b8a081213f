import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ErrorFormats, type ErrorWriter } from '../http/error-formats.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { ModelsModule } from '../models/models.module.js';
import { GEMINI } from '../wire/gemini/gemini-wire.js';
import { GeminiController, GeminiV1Controller } from './gemini.controller.js';
import { GeminiModelsController } from './gemini-models.controller.js';
import { GeminiModels } from './gemini-models.js';
import { GeminiResponder } from './gemini-responder.js';

/** Methods below `/v1/models`, which is a path of OpenAI's API as well. */
const METHODS =
  /^\/v1\/models\/.+:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/;

@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule, ModelsModule],
  controllers: [GeminiController, GeminiV1Controller, GeminiModelsController],
  providers: [GeminiModels, GeminiResponder],
})
export class GeminiModule {
  constructor(formats: ErrorFormats) {
    const write: ErrorWriter = (error, requestId) => GEMINI.writeError(error, requestId);
    formats.add('/v1beta', write);
    formats.addPaths(METHODS, write);
  }
}
