import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKey } from '../auth/api-key.entity.js';
import { FormerOwner } from '../auth/former-owner.entity.js';
import { KeyGroup } from '../auth/key-group.entity.js';
import { UsageRecord } from './records/usage-record.entity.js';
import { UsageRecordsModule } from './records/usage-records.module.js';
import { UsageSweeper } from './records/usage-sweeper.service.js';
import { LatencyReport } from './report/latency-report.service.js';
import { OwnUsageController } from './report/own-usage.controller.js';
import { OwnerNames } from './report/owner-names.js';
import { UsageController } from './report/usage.controller.js';
import { UsageReport } from './report/usage-report.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([UsageRecord, ApiKey, FormerOwner, KeyGroup]), UsageRecordsModule],
  controllers: [UsageController, OwnUsageController],
  providers: [LatencyReport, OwnerNames, UsageReport, UsageSweeper],
})
export class UsageModule {}
