import { BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { VERSION } from '../runtime/version.js';
import type { MetricFamily } from '../cluster/merge-metrics.js';
import { ClusterPeers } from '../cluster/cluster-peers.js';

/** The registry of this application; nothing uses the library's global one. */
@Injectable()
export class MetricsRegistry implements BeforeApplicationShutdown {
  readonly registry = new Registry();

  constructor(private readonly peers: ClusterPeers) {
    // Types are strings here, contrary to the declarations of prom-client.
    peers.provideMetrics(() => this.registry.getMetricsAsJSON() as Promise<unknown> as Promise<MetricFamily[]>);
    collectDefaultMetrics({ register: this.registry });
    // A version label on every series would start new series at each release.
    new Gauge({
      name: 'gateway_build_info',
      help: 'Always 1; what runs here.',
      labelNames: ['version', 'node'],
      aggregator: 'max',
      registers: [this.registry],
    }).set({ version: VERSION, node: process.version }, 1);
  }

  /** Prometheus' text format: what this process has counted, merged with its peers where it has any. */
  async print(): Promise<string> {
    const families = await this.peers.metrics();
    if (families === undefined) return this.registry.metrics();
    const merged = new Registry();
    for (const family of families) {
      const values = family.values.map((sample) => ({ ...sample, value: sample.value ?? NaN }));
      // prom-client prints any object of this shape, but its types accept only its own classes.
      const metric = { name: family.name, get: () => Promise.resolve({ ...family, values }) };
      merged.registerMetric(metric as unknown as Metric);
    }
    return merged.metrics();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.peers.handOverMetrics();
  }
}
