import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { BackgroundResponses } from './background-responses.js';
import { ReasoningOrigins } from './reasoning-origins.js';
import { ResponseCalls } from './response-calls.js';
import { ResponseChanges } from './response-changes.js';
import { ResponseEvents } from './response-events.js';
import { ResponsePreparation } from './prepared-response.js';
import { ResponseReplay } from './response-replay.js';
import { ResponseStore } from './response-store.js';
import { ResponsesController } from './responses.controller.js';
import { ResponsesEndpoint } from './responses-endpoint.js';
import { ResponsesResponder } from './responses-responder.js';
import { ResponsesService } from './responses.service.js';

/** OpenAI's Responses API. */
@Module({
  imports: [AuthModule, EngineModule, LifecycleModule, ModelEndpointModule],
  controllers: [ResponsesController],
  providers: [
    BackgroundResponses,
    ReasoningOrigins,
    ResponseCalls,
    ResponseChanges,
    ResponseEvents,
    ResponsePreparation,
    ResponseReplay,
    ResponseStore,
    ResponsesEndpoint,
    ResponsesResponder,
    ResponsesService,
  ],
})
export class ResponsesModule {}
