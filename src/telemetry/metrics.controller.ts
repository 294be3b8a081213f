import { Controller, Get, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { RequireScope } from '../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { MetricsRegistry } from '../metrics/metrics-registry.js';

@ApiTags('Health')
@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@RequireScope('admin')
@Controller('metrics')
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
  @ApiErrors(401, 403, 503)
  @Get()
  async readMetrics(@Res() response: Response): Promise<void> {
    const text = await this.metrics.print();
    response.setHeader('content-type', this.metrics.registry.contentType);
    response.end(text);
  }
}
