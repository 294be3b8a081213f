import { Admin } from '../auth/admin.decorator.js';
import { Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';

@Admin('Health', 'metrics')
export class MetricsController {
  constructor(private readonly metrics: MetricsRegistry) {}

  @ApiOperation({ summary: 'Read the metrics', description: "In Prometheus' text format. Needs an admin key." })
  @ApiOkResponse({
    description:
      'The metrics of this process, or of all that GATEWAY_PROCESSES runs together; depths and ages of batches are those of all processes.',
    headers: REQUEST_ID_HEADER,
    content: {
      'text/plain': {
        schema: { type: 'string' },
        example: '# TYPE gateway_batch_tasks gauge\ngateway_batch_tasks{state="queued"} 0\n',
      },
    },
  })
  @ApiErrors()
  @Get()
  async readMetrics(@Res() response: Response): Promise<void> {
    const text = await this.metrics.print();
    response.setHeader('content-type', this.metrics.registry.contentType);
    response.end(text);
  }
}
