import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { PageQueryDto } from '../http/page-query.dto.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { AdminBatchListDto } from './batch.dto.js';
import { BatchService } from './batch.service.js';

@ApiTags('Admin: batches')
@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@RequireScope('admin')
@UsePipes(StrictBodyPipe)
@Controller('v1/admin/batches')
export class AdminBatchesController {
  constructor(private readonly batches: BatchService) {}

  @ApiOperation({
    summary: 'List the batches of all keys',
    description: 'Newest first, with age and rate, and how much waits. Neither prompts nor answers are shown.',
  })
  @ApiOkResponse({ type: AdminBatchListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(400, 401, 403, 503)
  @Get()
  listAllBatches(@Query() query: PageQueryDto): Promise<AdminBatchListDto> {
    return this.batches.listAll(query);
  }
}
