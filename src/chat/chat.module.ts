import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EngineModule } from '../engine/engine.module.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ChatController } from './chat.controller.js';
import { ChatResponder } from './chat-responder.js';

@Module({
  imports: [AuthModule, EngineModule, LifecycleModule],
  controllers: [ChatController],
  providers: [ChatResponder],
})
export class ChatModule {}
