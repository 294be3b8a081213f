import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { InFlight } from '../lifecycle/in-flight.service.js';
import type { BreakerState } from '../routing/deployments/circuit-breaker.js';
import { DeploymentLimiter } from '../routing/deployments/deployment-limiter.js';
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
}

/** The deployments of the file. Those that clients name themselves are unbounded. */
function configured(routing: Routing): { id: string; provider: string }[] {
  const found = new Map<string, string>();
  for (const { deployments } of routing.current.listed()) {
    for (const { id, provider } of deployments) found.set(id, provider.name);
  }
  return [...found].map(([id, provider]) => ({ id, provider }));
}
