import { Global, Module } from '@nestjs/common';
import { SpendQuery } from '../../limits/spend-query.js';
import { RecordedSpend } from './recorded-spend.js';
import { UsageRecorder } from './usage-recorder.service.js';

/** Writes usage records. Global, because budgets (a floor below) start with the records. */
@Global()
@Module({
  providers: [UsageRecorder, RecordedSpend, { provide: SpendQuery, useExisting: RecordedSpend }],
  exports: [UsageRecorder, SpendQuery],
})
export class UsageRecordsModule {}
