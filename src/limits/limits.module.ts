import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { WebhookModule } from '../webhooks/webhook.module.js';
import { BudgetAlerts } from './budget-alerts.service.js';
import { BudgetStateReader } from './budget-state-reader.js';
import { BudgetLedger } from './budget-ledger.js';
import { ConcurrencyLeases } from './concurrency-leases.js';
import { CostEstimator } from './cost-estimator.js';
import { ClusterPeers } from '../cluster/cluster-peers.js';
import { InProcessLimitStore } from './in-process-limit-store.js';
import { LimitStore } from './limit-store.js';
import { Limits } from './limits.service.js';
import { LIMITS } from './primary-limits.js';
import { RemoteLimitStore } from './remote-limit-store.js';
import { RateWindows } from './rate-windows.js';
import { Replicas } from './replicas.js';

/** Admission of calls: rates, tokens, concurrency and budgets of keys, groups and models. */
@Module({
  imports: [AuthModule, PricingModule, WebhookModule],
  providers: [
    Limits,
    RateWindows,
    ConcurrencyLeases,
    BudgetLedger,
    Replicas,
    BudgetAlerts,
    BudgetStateReader,
    CostEstimator,
    {
      provide: LimitStore,
      inject: [ClusterPeers],
      useFactory: ({ primary }: ClusterPeers): LimitStore =>
        primary === undefined
          ? new InProcessLimitStore()
          : new RemoteLimitStore({
              ask: (step) => primary.ask(LIMITS, step),
              notify: (step) => primary.notify(LIMITS, step),
            }),
    },
  ],
  exports: [Limits, CostEstimator],
})
export class LimitsModule {}
