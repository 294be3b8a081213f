import { Module } from '@nestjs/common';
import { HealthModule } from '../health/health.module.js';
import { ModelsModule } from '../models/models.module.js';
import { ChatController } from './chat.controller.js';
import { ChatResponder } from './chat-responder.js';
import { ChatService } from './chat.service.js';

@Module({
  imports: [HealthModule, ModelsModule],
  controllers: [ChatController],
  providers: [ChatService, ChatResponder],
  exports: [ChatService],
})
export class ChatModule {}
