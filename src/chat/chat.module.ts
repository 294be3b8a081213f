import { Module } from '@nestjs/common';
import { ModelsModule } from '../models/models.module.js';
import { ChatController } from './chat.controller.js';
import { ChatResponder } from './chat-responder.js';
import { ChatService } from './chat.service.js';
import { InFlight } from './in-flight.service.js';

@Module({
  imports: [ModelsModule],
  controllers: [ChatController],
  providers: [ChatService, ChatResponder, InFlight],
  exports: [ChatService, InFlight],
})
export class ChatModule {}
