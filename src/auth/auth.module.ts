import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { GatewaySetting } from '../database/gateway-setting.entity.js';
import { ApiKey } from './api-key.entity.js';
import { BudgetStates } from './budget-states.js';
import { ApiKeyAuthenticator } from './api-key-authenticator.js';
import { KeyGroup } from './key-group.entity.js';
import { KeyGuard } from './key.guard.js';
import { KeyRevocations } from './key-revocations.js';
import { KeyStrategy } from './key.strategy.js';
import { KeyFinder } from './key-finder.js';
import { ConsoleSession } from './sessions/console-session.entity.js';
import { ConsoleSessions } from './sessions/console-sessions.service.js';
import { ConsoleUser } from './users/console-user.entity.js';
import { ConsoleUsers } from './users/console-users.service.js';
import { PepperAgreement } from './pepper-agreement.js';
import { PepperRotation } from './pepper-rotation.js';
import { loadPepper, Pepper } from './pepper.js';

/** Authentication. Keys and groups are managed in admin/keys and admin/groups. */
@Module({
  imports: [PassportModule, TypeOrmModule.forFeature([ApiKey, ConsoleSession, ConsoleUser, GatewaySetting, KeyGroup])],
  providers: [
    { provide: Pepper, inject: [GatewayConfig], useFactory: loadPepper },
    {
      provide: PepperAgreement,
      inject: [Database, Pepper],
      useFactory: (database: Database, pepper: Pepper) => new PepperAgreement(database, pepper),
    },
    PepperRotation,
    KeyFinder,
    ConsoleUsers,
    ApiKeyAuthenticator,
    KeyRevocations,
    KeyStrategy,
    KeyGuard,
    BudgetStates,
    ConsoleSessions,
  ],
  exports: [KeyGuard, ApiKeyAuthenticator, ConsoleSessions, KeyRevocations, BudgetStates, Pepper, PepperAgreement],
})
export class AuthModule {}
