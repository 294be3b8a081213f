import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKey } from '../auth/api-key.entity.js';
import { KeyGroup } from '../auth/key-group.entity.js';
import { ChatModule } from '../chat/chat.module.js';
import { ModelsModule } from '../models/models.module.js';
import { Accounting } from '../accounting/accounting.service.js';
import { LimitsModule } from '../limits/limits.module.js';
import { UsageRecord } from './records/usage-record.entity.js';
import { OwnerNames } from './report/owner-names.js';
import { UsageController } from './report/usage.controller.js';
import { UsageReport } from './report/usage-report.service.js';
import { UsageSweeper } from './records/usage-sweeper.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([UsageRecord, ApiKey, KeyGroup]), ChatModule, LimitsModule, ModelsModule],
  controllers: [UsageController],
  providers: [Accounting, OwnerNames, UsageReport, UsageSweeper],
})
export class UsageModule {}
