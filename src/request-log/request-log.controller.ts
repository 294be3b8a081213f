import { Admin } from '../auth/admin.decorator.js';
import { Delete, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import {
  DeletedRequestLogDto,
  DeleteRequestLogQueryDto,
  RequestLogContentDto,
  RequestLogListDto,
  RequestLogQueryDto,
} from './request-log.dto.js';
import { RequestLogService } from './request-log.service.js';

const headers = REQUEST_ID_HEADER;
const EntryId = (): MethodDecorator =>
  ApiParam({ name: 'id', description: 'The id of the entry.', example: 'rlog_0123456789abcdef01234567' });

@Admin('Admin: request log', 'v1/admin/request-log')
export class RequestLogController {
  constructor(private readonly log: RequestLogService) {}

  @ApiOperation({
    summary: 'List the request log',
    description: 'Newest first, without content. There are entries only of keys with `request_log` set.',
  })
  @ApiOkResponse({ type: RequestLogListDto, headers })
  @ApiErrors()
  @Get()
  listRequestLog(@Query() query: RequestLogQueryDto): Promise<RequestLogListDto> {
    return this.log.list(query);
  }

  @ApiOperation({
    summary: 'Read an entry of the request log',
    description: 'With its prompt and response, decrypted. The audit log records the read.',
  })
  @EntryId()
  @ApiOkResponse({ type: RequestLogContentDto, headers })
  @ApiErrors(409)
  @Get(':id')
  readRequestLogEntry(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<RequestLogContentDto> {
    return this.log.find(id, principal);
  }

  @ApiOperation({
    summary: 'Delete the request log of a key',
    description: 'All entries of the key. They cannot be restored.',
  })
  @ApiOkResponse({ type: DeletedRequestLogDto, headers })
  @ApiErrors()
  @Delete()
  deleteRequestLog(
    @Query() query: DeleteRequestLogQueryDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeletedRequestLogDto> {
    return this.log.deleteOfKey(query, principal);
  }

  @ApiOperation({ summary: 'Delete an entry of the request log', description: 'It cannot be restored.' })
  @EntryId()
  @ApiOkResponse({ type: DeletedRequestLogDto, headers })
  @ApiErrors()
  @Delete(':id')
  deleteRequestLogEntry(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeletedRequestLogDto> {
    return this.log.delete(id, principal);
  }
}
