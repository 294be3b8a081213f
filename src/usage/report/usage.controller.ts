import { Admin } from '../../auth/admin.decorator.js';
import { Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { toCsv } from '../../http/csv.js';
import { ClientGone } from '../../http/client-gone.js';
import { sendCsv } from '../../http/csv-response.js';
import { SUM_COLUMNS } from './sum-columns.js';
import { LatencyReport } from './latency-report.service.js';
import { LatencyQueryDto, LatencyRowListDto } from './latency.dto.js';
import { UsageFilterDto, UsageQueryDto } from './usage-query.dto.js';
import { UsageRecordListDto } from './usage-record.dto.js';
import { UsageRowListDto } from './usage-row.dto.js';
import { UsageReport } from './usage-report.service.js';

const RECORD_COLUMNS = [
  'id',
  'created_at',
  'date',
  'request_id',
  'key_id',
  'key_name',
  'group_id',
  'source',
  'requested_model',
  'model',
  'provider',
  'upstream_model',
  'stream',
  'status',
  'http_status',
  'error_code',
  'attempts',
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'cached_tokens',
  'reasoning_tokens',
  'estimated',
  'cost_usd',
  'first_byte_ms',
  'duration_ms',
  'user',
  'metadata',
  'operation',
  'images',
  'audio_seconds',
  'characters',
  'search_units',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'session_id',
  'agent_id',
  'wire_format',
  'service_tier',
  'web_searches',
];

const csvOf = (columns: readonly string[]): object => ({
  schema: { type: 'string' },
  example: `${columns.join(',')}\r\n`,
});

@ApiExtraModels(UsageRowListDto, UsageRecordListDto)
@Admin('Admin: usage', 'v1/admin/usage')
export class UsageController {
  constructor(
    private readonly usage: UsageReport,
    private readonly latencies: LatencyReport,
  ) {}

  @ApiOperation({
    summary: 'Read sums of usage',
    description:
      'By hour or day, and by key, group, operation, model, provider, end user, session, agent, wire format or service tier. `Accept: text/csv` gives CSV.',
  })
  @ApiOkResponse({
    description: 'The sums.',
    headers: REQUEST_ID_HEADER,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(UsageRowListDto) } },
      'text/csv': csvOf(SUM_COLUMNS),
    },
  })
  @ApiErrors()
  @Get()
  async listUsage(
    @Query() query: UsageQueryDto,
    @Req() request: Request,
    @Res() response: Response,
    @ClientGone() gone: AbortSignal,
  ): Promise<void> {
    const sums = await this.usage.sums(query, gone);
    if (request.accepts(['json', 'text/csv']) === 'text/csv') {
      response.setHeader('content-type', 'text/csv; charset=utf-8');
      response.end(toCsv(SUM_COLUMNS, sums.data));
    } else response.json(sums);
  }

  @ApiOperation({
    summary: 'Read latencies',
    description:
      'Percentiles of the time to the first event of streams, and to the end, of succeeded requests of clients, by hour or day.',
  })
  @ApiOkResponse({ type: LatencyRowListDto, description: 'The latencies.', headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get('latency')
  listLatencies(@Query() query: LatencyQueryDto, @ClientGone() gone: AbortSignal): Promise<LatencyRowListDto> {
    return this.latencies.rows(query, gone);
  }

  @ApiOperation({
    summary: 'List usage records',
    description:
      'One for each request to a model that was sent to a provider, live or of a batch; newest first. `Accept: text/csv` gives all of them as CSV.',
  })
  @ApiOkResponse({
    description: 'The records.',
    headers: REQUEST_ID_HEADER,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(UsageRecordListDto) } },
      'text/csv': csvOf(RECORD_COLUMNS),
    },
  })
  @ApiErrors()
  @Get('records')
  async listUsageRecords(
    @Query() query: UsageFilterDto,
    @Req() request: Request,
    @Res() response: Response,
    @ClientGone() gone: AbortSignal,
  ): Promise<void> {
    if (request.accepts(['json', 'text/csv']) === 'text/csv') {
      await sendCsv(response, RECORD_COLUMNS, this.usage.pages(query, gone));
    } else response.json(await this.usage.list(query, gone));
  }
}
