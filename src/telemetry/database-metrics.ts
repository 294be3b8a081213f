import { Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { Gauge } from 'prom-client';
import { DataSource, type EntitySubscriberInterface } from 'typeorm';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent.js';
import { Database } from '../database/database.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';
import { type HistogramSeries, PlainHistogram } from '../metrics/plain-metrics.js';

/** Seconds. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Durations of statements, and whether they wait for a connection. */
@Injectable()
export class DatabaseMetrics implements EntitySubscriberInterface {
  private readonly succeeded: HistogramSeries;
  private readonly failed: HistogramSeries;

  constructor({ registry }: MetricsRegistry, dataSource: DataSource, database: Database) {
    const durations = new PlainHistogram(
      'gateway_database_query_duration_seconds',
      'One statement, from being sent to its response.',
      BUCKETS,
      registry,
    );
    this.succeeded = durations.series({ result: 'ok' });
    this.failed = durations.series({ result: 'error' });
    dataSource.subscribers.push(this);
    const pool = (dataSource.driver as { master?: Pool }).master;
    const registers = [registry];
    new Gauge({
      name: 'gateway_database_waiting',
      help: 'Statements that wait for a connection; with SQLite, transactions that wait for their turn to write.',
      registers,
      collect() {
        this.set(pool?.waitingCount ?? database.waiting);
      },
    });
    if (pool === undefined) return;
    new Gauge({
      name: 'gateway_database_connections',
      help: 'Connections of the pool to PostgreSQL.',
      labelNames: ['state'],
      registers,
      collect() {
        this.set({ state: 'idle' }, pool.idleCount);
        this.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      },
    });
  }

  /** TypeORM calls it after every statement. */
  afterQuery({ success, executionTime = 0 }: AfterQueryEvent): void {
    (success ? this.succeeded : this.failed).observe(executionTime / 1_000);
  }
}
