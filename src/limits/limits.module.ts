import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ModelsModule } from '../models/models.module.js';
import { UsageRecorder } from '../usage/records/usage-recorder.service.js';
import { WebhookModule } from '../webhooks/webhook.module.js';
import { BudgetAlerts } from './budget-alerts.service.js';
import { BudgetStateReader } from './budget-state-reader.js';
import { BudgetLedger } from './budget-ledger.js';
import { ConcurrencyLeases } from './concurrency-leases.js';
import { Siblings } from '../cluster/siblings.js';
import { InProcessLimitStore } from './in-process-limit-store.js';
import { LimitStore } from './limit-store.js';
import { Limits } from './limits.service.js';
import { RateWindows } from './rate-windows.js';
import { Replicas } from './replicas.js';
import { Spent } from './spent.js';
import { WorstCase } from './worst-case.js';

/** What lets calls in; the recorder is here because budgets begin with what it has written. */
@Module({
  imports: [AuthModule, ModelsModule, WebhookModule],
  providers: [
    Limits,
    RateWindows,
    ConcurrencyLeases,
    BudgetLedger,
    Replicas,
    BudgetAlerts,
    BudgetStateReader,
    Spent,
    WorstCase,
    UsageRecorder,
    {
      provide: LimitStore,
      inject: [Siblings],
      useFactory: ({ limits }: Siblings): LimitStore => limits ?? new InProcessLimitStore(),
    },
  ],
  exports: [Limits, Spent, UsageRecorder, WorstCase],
})
export class LimitsModule {}
