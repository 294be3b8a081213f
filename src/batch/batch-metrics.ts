import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { type Depth, QueueDepth } from './queue-depth.js';
import type { TaskOutcome } from './task-outcomes.js';

/** Metrics of batches. Depth and age are read from the database at each scrape. */
@Injectable()
export class BatchMetrics {
  private readonly tasks: Counter<'status'>;
  private readonly retries: Counter;
  private readonly lostLeases: Counter;
  private readonly discarded: Counter;

  constructor(metrics: MetricsRegistry, queueDepth: QueueDepth) {
    const registers = [metrics.registry];
    this.tasks = new Counter({
      name: 'gateway_batch_tasks_total',
      help: 'Batch tasks that this process ended, by how they ended.',
      labelNames: ['status'],
      registers,
    });
    this.retries = new Counter({
      name: 'gateway_batch_retries_total',
      help: 'Batch tasks that were put back after a failure that may pass.',
      registers,
    });
    this.lostLeases = new Counter({
      name: 'gateway_batch_leases_lost_total',
      help: 'Tasks that this process was running when it lost its claim on them.',
      registers,
    });
    this.discarded = new Counter({
      name: 'gateway_batch_results_discarded_total',
      help: 'Results that came after their claim was lost, and were not stored.',
      registers,
    });
    // The other metrics are needed most while the database is unreachable.
    const depth = (): Promise<Depth | undefined> => queueDepth.read().catch(() => undefined);
    new Gauge({
      name: 'gateway_batch_oldest_waiting_seconds',
      help: 'Longest time for which a job with tasks to run has been given no slot by any process; 0 when none waits. Absent while the database is away.',
      aggregator: 'max',
      registers,
      async collect() {
        const known = await depth();
        if (known === undefined) this.remove();
        else this.set(known.oldestWaiting / 1000);
      },
    });
    new Gauge({
      name: 'gateway_batch_tasks',
      help: 'Tasks of unfinished jobs in all processes, by state. Absent while the database is away.',
      aggregator: 'max',
      labelNames: ['state'],
      registers,
      async collect() {
        const known = await depth();
        this.reset();
        if (known === undefined) return;
        this.set({ state: 'queued' }, known.queued);
        this.set({ state: 'running' }, known.running);
      },
    });
  }

  finished(outcomes: readonly TaskOutcome[], discarded: number): void {
    for (const { status } of outcomes) if (status !== 'queued') this.tasks.inc({ status });
    if (discarded > 0) this.discarded.inc(discarded);
  }

  retried(): void {
    this.retries.inc();
  }

  leaseLost(): void {
    this.lostLeases.inc();
  }
}
