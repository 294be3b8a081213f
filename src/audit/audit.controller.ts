import { Admin } from '../auth/admin.decorator.js';
import { Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { sendCsv } from '../http/csv-response.js';
import { AuditEntryListDto, AuditQueryDto } from './audit.dto.js';
import { AuditLog } from './audit-log.service.js';

const COLUMNS = ['id', 'created_at', 'date', 'actor', 'action', 'target_type', 'target_id', 'changes', 'before'];

@ApiExtraModels(AuditEntryListDto)
@Admin('Admin: audit', 'v1/admin/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @ApiOperation({
    summary: 'List what administrators did',
    description:
      'Newest first: every change of keys, groups and the configuration, and every read or deletion of prompts and responses. `Accept: text/csv` returns all that match the filters as CSV.',
  })
  @ApiOkResponse({
    description: 'The actions.',
    headers: REQUEST_ID_HEADER,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(AuditEntryListDto) } },
      'text/csv': { schema: { type: 'string' }, example: `${COLUMNS.join(',')}\r\n` },
    },
  })
  @ApiErrors()
  @Get()
  async listAuditEntries(
    @Query() query: AuditQueryDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (request.accepts(['json', 'text/csv']) === 'text/csv') {
      await sendCsv(response, COLUMNS, this.audit.pages(query));
    } else response.json(await this.audit.list(query));
  }
}
