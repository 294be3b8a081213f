import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { MetricsRegistry } from '../../metrics/metrics-registry.js';

/** What became of a part. */
export type PartEvent = 'created' | 'found' | 'refused' | 'cancelled' | 'abandoned' | 'ended';
/** What became of a line. `late`: its task had gone on to another tier when its result came. */
export type LineEvent = 'succeeded' | 'failed' | 'moved_on' | 'unreadable' | 'late';

/** Metrics of the batches that the gateway has at providers. */
@Injectable()
export class PartMetrics {
  private readonly parts: Counter<'event'>;
  private readonly lines: Counter<'result'>;

  constructor({ registry }: MetricsRegistry) {
    this.parts = new Counter({
      name: 'gateway_batch_parts_total',
      help: "Parts of batches at providers' own batch APIs, by what happened to them.",
      labelNames: ['event'],
      registers: [registry],
    });
    this.lines = new Counter({
      name: 'gateway_batch_part_lines_total',
      help: 'Lines of these parts, by what became of them. moved_on: to the next tier.',
      labelNames: ['result'],
      registers: [registry],
    });
  }

  part(event: PartEvent): void {
    this.parts.inc({ event });
  }

  line(result: LineEvent): void {
    this.lines.inc({ result });
  }
}
