import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditLog } from '../../audit/audit-log.service.js';
import { AuditModule } from '../../audit/audit.module.js';
import { ApiKey } from '../../auth/api-key.entity.js';
import { AuthModule } from '../../auth/auth.module.js';
import { KeyGroup } from '../../auth/key-group.entity.js';
import { PepperAgreement } from '../../auth/pepper-agreement.js';
import { Pepper } from '../../auth/pepper.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { GroupsController } from '../groups/groups.controller.js';
import { GroupsService } from '../groups/groups.service.js';
import { bootstrapKeys } from './bootstrap.js';
import { BootstrapAdminKey } from './bootstrap-admin-key.js';
import { GroupBudgetResetController, KeyBudgetResetController } from './budget-reset.controller.js';
import { BudgetResets } from './budget-reset.service.js';
import { KeyExport } from './key-export.service.js';
import { KeyImport } from './key-import.service.js';
import { KeyImportReader } from './key-import-reader.js';
import { KeyPurge } from './key-purge.service.js';
import { KeyTransferController } from './key-transfer.controller.js';
import { RequestLogSettings } from './request-log-settings.js';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';
import { OwnedKeysController, OwnKeyController } from './own-key.controller.js';
import { OwnKeyService } from './own-key.service.js';

/** Keys and groups as operators manage them, and the admin key of the first start. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey, KeyGroup]), AuditModule, AuthModule],
  controllers: [
    KeyTransferController,
    KeysController,
    KeyBudgetResetController,
    GroupBudgetResetController,
    GroupsController,
    OwnKeyController,
    OwnedKeysController,
  ],
  providers: [
    {
      provide: BootstrapAdminKey,
      inject: [GatewayConfig, Database, Pepper, PepperAgreement, AuditLog],
      useFactory: bootstrapKeys,
    },
    RequestLogSettings,
    KeysService,
    KeyExport,
    KeyImport,
    KeyImportReader,
    KeyPurge,
    BudgetResets,
    GroupsService,
    OwnKeyService,
  ],
})
export class KeysModule {}
