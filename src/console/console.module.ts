import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ConsoleSession } from '../auth/sessions/console-session.entity.js';
import { AdminSessionsController } from './admin-sessions.controller.js';
import { OidcClient } from './oidc/oidc-client.js';
import { OidcController } from './oidc/oidc.controller.js';
import { OidcSignIn } from './oidc/oidc-sign-in.service.js';
import { SessionController } from './session.controller.js';
import { SessionService } from './session-service.js';

/** The API of the console's sessions; its pages are served by console-files.ts. */
@Module({
  imports: [TypeOrmModule.forFeature([ConsoleSession]), AuditModule, AuthModule],
  controllers: [OidcController, SessionController, AdminSessionsController],
  providers: [OidcClient, OidcSignIn, SessionService],
})
export class ConsoleModule {}
