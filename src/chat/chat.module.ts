import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { ChatEndpoint } from './chat-endpoint.js';
import { ChatController } from './chat.controller.js';
import { ChatResponder } from './chat-responder.js';

@Module({
  imports: [AuthModule, EngineModule, ModelEndpointModule],
  controllers: [ChatController],
  providers: [ChatEndpoint, ChatResponder],
})
export class ChatModule {}
