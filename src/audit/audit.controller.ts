import { Controller, Get, Query, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { AuditEntryListDto, AuditQueryDto } from './audit.dto.js';
import { AuditLog } from './audit-log.service.js';

@ApiTags('Admin: audit')
@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@RequireScope('admin')
@UsePipes(StrictBodyPipe)
@Controller('v1/admin/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @ApiOperation({
    summary: 'List what administrators did',
    description:
      'Newest first: every change of keys, groups and the configuration, and who read or deleted prompts and answers.',
  })
  @ApiOkResponse({ type: AuditEntryListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(400, 401, 403, 503)
  @Get()
  listActions(@Query() query: AuditQueryDto): Promise<AuditEntryListDto> {
    return this.audit.list(query);
  }
}
