import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { AuditLog } from '../audit/audit-log.service.js';
import { AuditModule } from '../audit/audit.module.js';
import { GroupsController } from '../admin/groups/groups.controller.js';
import { GroupsService } from '../admin/groups/groups.service.js';
import { KeyGroup } from './key-group.entity.js';
import { ApiKey } from './api-key.entity.js';
import { BudgetStates } from './budget-states.js';
import { BootstrapAdminKey } from '../admin/keys/bootstrap-admin-key.js';
import { bootstrapKeys } from '../admin/keys/bootstrap.js';
import { KeyCheck } from './key-check.service.js';
import { KeyGuard } from './key.guard.js';
import { KeyRevocations } from './key-revocations.js';
import { KeyStrategy } from './key.strategy.js';
import { KeysController } from '../admin/keys/keys.controller.js';
import { KeysService } from '../admin/keys/keys.service.js';
import { OwnKeyController } from '../admin/keys/own-key.controller.js';
import { OwnKeyService } from '../admin/keys/own-key.service.js';
import { loadPepper, Pepper } from './pepper.js';

@Module({
  imports: [PassportModule, TypeOrmModule.forFeature([ApiKey, KeyGroup]), AuditModule],
  controllers: [KeysController, GroupsController, OwnKeyController],
  providers: [
    { provide: Pepper, inject: [GatewayConfig], useFactory: loadPepper },
    { provide: BootstrapAdminKey, inject: [GatewayConfig, Database, Pepper, AuditLog], useFactory: bootstrapKeys },
    KeyCheck,
    KeyRevocations,
    KeyStrategy,
    KeyGuard,
    KeysService,
    GroupsService,
    OwnKeyService,
    BudgetStates,
  ],
  exports: [KeyGuard, KeyCheck, KeyRevocations, BudgetStates],
})
export class AuthModule {}
