import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { VERSION } from '../health/version.js';

/** The registry of this application; nothing uses the library's global one. */
@Injectable()
export class MetricsRegistry {
  readonly registry = new Registry();

  constructor() {
    this.registry.setDefaultLabels({ version: VERSION });
    collectDefaultMetrics({ register: this.registry });
  }
}
