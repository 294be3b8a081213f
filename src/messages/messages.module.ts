import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ErrorFormats } from '../http/error-formats.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';
import { CountTokensResponder } from './count-tokens-responder.js';
import { MessagesController } from './messages.controller.js';

@Module({
  imports: [AuthModule, ModelEndpointModule],
  controllers: [MessagesController],
  providers: [CountTokensResponder],
})
export class MessagesModule {
  constructor(formats: ErrorFormats) {
    formats.add('/v1/messages', (error, requestId) => ANTHROPIC.writeError(error, requestId));
  }
}
