import { Delete, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Admin } from '../auth/admin.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { PageQueryDto } from '../http/page-query.dto.js';
import { SessionDto, SessionListDto } from './session.dto.js';
import { SessionService } from './session-service.js';

@Admin('Admin: sessions', 'v1/admin/sessions')
export class AdminSessionsController {
  constructor(private readonly sessions: SessionService) {}

  @ApiOperation({ summary: 'List sessions', description: 'Who is signed in to the console, newest first.' })
  @ApiOkResponse({ type: SessionListDto, description: 'The sessions.', headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listSessions(@Query() query: PageQueryDto): Promise<SessionListDto> {
    return this.sessions.list(query);
  }

  @ApiOperation({ summary: 'End a session', description: 'Its browser has to sign in again.' })
  @ApiOkResponse({ type: SessionDto, description: 'The ended session.', headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Delete(':id')
  deleteSession(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<SessionDto> {
    return this.sessions.end(id, principal.keyId);
  }
}
