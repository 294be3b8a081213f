import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { HealthModule } from '../health/health.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { ModelsModule } from '../models/models.module.js';
import { CallEvents } from '../calls/call-events.js';
import { ChatController } from './chat.controller.js';
import { ChatResponder } from './chat-responder.js';
import { ChatService } from '../engine/chat.service.js';

@Module({
  imports: [AuthModule, HealthModule, ModelsModule, LimitsModule],
  controllers: [ChatController],
  providers: [ChatService, ChatResponder, CallEvents],
  exports: [ChatService, CallEvents],
})
export class ChatModule {}
