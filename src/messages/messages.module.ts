import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ErrorFormats } from '../http/error-formats.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';
import { CountTokensResponder } from './count-tokens-responder.js';
import { MessagesController } from './messages.controller.js';
import { MessagesEndpoint } from './messages-endpoint.js';

@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule],
  controllers: [MessagesController],
  providers: [MessagesEndpoint, CountTokensResponder],
})
export class MessagesModule {
  constructor(formats: ErrorFormats) {
    formats.add('/v1/messages', (error, requestId) => ANTHROPIC.writeError(error, requestId));
  }
}
