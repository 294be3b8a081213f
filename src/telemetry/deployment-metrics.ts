import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { InFlight } from '../lifecycle/in-flight.service.js';
import type { BreakerState } from '../routing/deployments/circuit-breaker.js';
import { DeploymentLimiter } from '../routing/deployments/deployment-limiter.js';
import type { DeploymentHealth } from '../routing/deployments/deployment-health.js';
import { Deployments } from '../routing/deployments/deployments.service.js';
import { Routing } from '../routing/routing.service.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';

const BREAKER: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/** Calls in flight, and the state of every deployment of the file; read at each scrape. */
@Injectable()
export class DeploymentMetrics {
  constructor(
    { registry }: MetricsRegistry,
    inFlight: InFlight,
    routing: Routing,
    deployments: Deployments,
    queue: DeploymentLimiter,
  ) {
    const registers = [registry];
    new Gauge({
      name: 'gateway_requests_in_flight',
      help: 'Live requests to models that are in flight.',
      registers,
      collect() {
        this.set(inFlight.calls);
      },
    });
    new Gauge({
      name: 'gateway_deployment_in_flight',
      help: 'Calls in flight at a deployment of the file, batches included.',
      labelNames: ['deployment', 'provider'],
      registers,
      collect() {
        this.reset();
        for (const { id, provider } of configured(routing)) {
          this.set({ deployment: id, provider }, deployments.healthOf({ id }).inFlight);
        }
      },
    });
    new Gauge({
      name: 'gateway_breaker_state',
      help: 'State of the breaker of a deployment of the file: 0 closed, 1 half open, 2 open.',
      aggregator: 'max',
      labelNames: ['deployment', 'provider'],
      registers,
      collect() {
        this.reset();
        for (const { id, provider } of configured(routing)) {
          this.set({ deployment: id, provider }, BREAKER[deployments.healthOf({ id }).breaker]);
        }
      },
    });
    this.describeHealth(registry, routing, deployments);
    new Gauge({
      name: 'gateway_queue_waiting',
      help: 'Calls that wait for a slot at the deployments of a model of the file.',
      labelNames: ['model'],
      registers,
      collect() {
        this.reset();
        for (const { id } of routing.current.listed()) this.set({ model: id }, queue.waitingFor(id));
      },
    });
  }

  private describeHealth(registry: MetricsRegistry['registry'], routing: Routing, deployments: Deployments): void {
    const registers = [registry];
    const labelNames = ['deployment', 'provider'];
    const each = function* (): Generator<[{ deployment: string; provider: string }, DeploymentHealth]> {
      for (const { id, provider } of configured(routing)) {
        yield [{ deployment: id, provider }, deployments.healthOf({ id })];
      }
    };
    new Gauge({
      name: 'gateway_deployment_pause_seconds',
      help: 'Seconds until a deployment of the file is called again as usual, by why it is not: breaker, quota (its account has none left), rate_limit (its responses say that one is reached), ejected (worse than the other deployments of a model).',
      aggregator: 'max',
      labelNames: [...labelNames, 'reason'],
      registers,
      collect() {
        this.reset();
        for (const [labels, health] of each()) {
          const pauses = {
            breaker: health.opensIn,
            quota: health.quotaPause,
            rate_limit: health.limits.left,
            ejected: deployments.ejections.longestLeft(labels.deployment),
          };
          for (const [reason, milliseconds] of Object.entries(pauses)) {
            this.set({ ...labels, reason }, milliseconds / 1_000);
          }
        }
      },
    });
    new Gauge({
      name: 'gateway_deployment_drained',
      help: 'Whether an administrator has drained a deployment of the file: 1, or else 0.',
      aggregator: 'max',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels] of each()) {
          this.set(labels, deployments.drains.has({ id: labels.deployment }) ? 1 : 0);
        }
      },
    });
    new Gauge({
      name: 'gateway_deployment_share',
      help: 'Share of its weight that a deployment of the file gets: less than 1 for a while after it has recovered.',
      aggregator: 'min',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, health] of each()) this.set(labels, health.share);
      },
    });
    new Counter({
      name: 'gateway_breaker_openings_total',
      help: 'How often the breaker of a deployment of the file has opened in this process.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, health] of each()) this.inc(labels, health.circuit.openings);
      },
    });
    new Counter({
      name: 'gateway_probes_total',
      help: 'Background tests of deployments with an open breaker, by outcome: well, unwell, unknown.',
      labelNames: [...labelNames, 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const [labels, health] of each()) {
          for (const [outcome, count] of Object.entries(health.probes)) this.inc({ ...labels, outcome }, count);
        }
      },
    });
    new Counter({
      name: 'gateway_ejections_total',
      help: 'How often a deployment of the file was ejected from a model, by reason: errors, latency.',
      labelNames: [...labelNames, 'reason'],
      registers,
      collect() {
        this.reset();
        for (const [labels] of each()) {
          const counts = deployments.ejections.counts.get(labels.deployment) ?? { errors: 0, latency: 0 };
          for (const [reason, count] of Object.entries(counts)) this.inc({ ...labels, reason }, count);
        }
      },
    });
  }
}

/** The deployments of the file. Those that clients name themselves are unbounded. */
function configured(routing: Routing): { id: string; provider: string }[] {
  const found = new Map<string, string>();
  for (const { deployments } of routing.current.listed()) {
    for (const { id, provider } of deployments) found.set(id, provider.name);
  }
  return [...found].map(([id, provider]) => ({ id, provider }));
}
