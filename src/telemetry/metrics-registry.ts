import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { VERSION } from '../health/version.js';

/** The registry of this application; nothing uses the library's global one. */
@Injectable()
export class MetricsRegistry {
  readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    // A label of its own on every series would begin all of them anew at each release.
    new Gauge({
      name: 'gateway_build_info',
      help: 'Always 1; what runs here.',
      labelNames: ['version', 'node'],
      registers: [this.registry],
    }).set({ version: VERSION, node: process.version }, 1);
  }
}
