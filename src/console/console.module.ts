import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ConsoleSession } from '../auth/sessions/console-session.entity.js';
import { AdminSessionsController } from './admin-sessions.controller.js';
import { SessionController } from './session.controller.js';
import { SessionService } from './session-service.js';

/** The API of the console's sessions; its pages are served by console-files.ts. */
@Module({
  imports: [TypeOrmModule.forFeature([ConsoleSession]), AuditModule, AuthModule],
  controllers: [SessionController, AdminSessionsController],
  providers: [SessionService],
})
export class ConsoleModule {}
