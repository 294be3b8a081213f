import { Controller, Get, Query, Req, Res, UsePipes } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiSecurity,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { RequireScope } from '../../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { StrictBodyPipe } from '../../http/strict-body.pipe.js';
import { toCsv } from './csv.js';
import { UsageFilterDto, UsageQueryDto, UsageRecordListDto, UsageRowListDto } from './usage.dto.js';
import { UsageReport } from './usage-report.service.js';

const SUM_COLUMNS = [
  'bucket',
  'group',
  'requests',
  'failed_requests',
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'cost_usd',
  'unpriced_requests',
  'estimated_requests',
];

const CSV = { schema: { type: 'string' }, example: `${SUM_COLUMNS.join(',')}\r\n` };

@ApiTags('Admin: usage')
@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@ApiExtraModels(UsageRowListDto)
@RequireScope('admin')
@UsePipes(StrictBodyPipe)
@Controller('v1/admin/usage')
export class UsageController {
  constructor(private readonly usage: UsageReport) {}

  @ApiOperation({
    summary: 'Read sums of usage',
    description: 'By hour or day, and by key, group, model, provider or end user. `Accept: text/csv` gives CSV.',
  })
  @ApiOkResponse({
    description: 'The sums.',
    headers: REQUEST_ID_HEADER,
    content: { 'application/json': { schema: { $ref: getSchemaPath(UsageRowListDto) } }, 'text/csv': CSV },
  })
  @ApiErrors(400, 401, 403, 503)
  @Get()
  async readUsage(@Query() query: UsageQueryDto, @Req() request: Request, @Res() response: Response): Promise<void> {
    const sums = await this.usage.sums(query);
    if (request.accepts(['json', 'text/csv']) === 'text/csv') {
      response.setHeader('content-type', 'text/csv; charset=utf-8');
      response.end(
        toCsv(
          SUM_COLUMNS,
          sums.data.map((row) => ({ ...row })),
        ),
      );
    } else response.json(sums);
  }

  @ApiOperation({
    summary: 'List usage records',
    description: 'One for each request to a model that was sent to a provider, live or of a batch; newest first.',
  })
  @ApiOkResponse({ type: UsageRecordListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(400, 401, 403, 503)
  @Get('records')
  listUsageRecords(@Query() query: UsageFilterDto): Promise<UsageRecordListDto> {
    return this.usage.list(query);
  }
}
