import { Body, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { Admin } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { PageQueryDto } from '../../http/page-query.dto.js';
import {
  AppliedConfigurationDto,
  CheckConfigurationDto,
  ConfigurationChangeDetailsDto,
  ConfigurationChangeListDto,
  ConfigurationCheckDto,
  ConfigurationFileDto,
  EditConfigurationDto,
  RestoreConfigurationDto,
} from './configuration-edits.dto.js';
import { ConfigurationEdits } from './configuration-edits.service.js';

const headers = REQUEST_ID_HEADER;
const CHANGE_ID = { name: 'id', description: 'Id of the change.', example: 'cfg_0123456789abcdef01234567' };

@Admin('Admin: configuration', 'v1/admin/configuration')
export class ConfigurationEditsController {
  constructor(private readonly edits: ConfigurationEdits) {}

  @ApiOperation({
    summary: 'Read gateway.yaml',
    description:
      'The text of the file of the machine that responds, to edit it; secrets are replaced by names. Only where `config.editable` is set, and not for the role `viewer`: otherwise 403 `configuration_read_only` or `insufficient_scope`.',
  })
  @ApiOkResponse({ type: ConfigurationFileDto, headers })
  @ApiErrors()
  @Get('file')
  readConfigurationFile(@CurrentPrincipal() principal: Principal): Promise<ConfigurationFileDto> {
    return this.edits.file(principal);
  }

  @ApiOperation({
    summary: 'Check a text of gateway.yaml',
    description:
      'By the schema, by all that a start checks, and by the rules for edits of docs/console.md. Changes nothing; the status is 200 either way.',
  })
  @ApiOkResponse({ type: ConfigurationCheckDto, headers })
  @ApiErrors()
  @HttpCode(200)
  @Post('file/check')
  checkConfigurationFile(
    @Body() body: CheckConfigurationDto,
    @CurrentPrincipal() principal: Principal,
  ): ConfigurationCheckDto {
    return this.edits.check(body, principal);
  }

  @ApiOperation({
    summary: 'Replace gateway.yaml',
    description:
      'Writes the file of the machine that responds. Each process that reads it takes providers, models, `upstream`, `retry`, `health`, `sandbox`, `expose` and `discover` over within two seconds; other settings wait for a restart. A text with faults is a 400; 409 where the file has changed since `version`.',
  })
  @ApiOkResponse({ type: AppliedConfigurationDto, headers })
  @ApiErrors(409)
  @Put('file')
  editConfigurationFile(
    @Body() body: EditConfigurationDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AppliedConfigurationDto> {
    return this.edits.edit(body, principal);
  }

  @ApiOperation({
    summary: 'List the edits of gateway.yaml',
    description: 'The newest 50, of all machines that share the database, with what was found before an edit.',
  })
  @ApiOkResponse({ type: ConfigurationChangeListDto, headers })
  @ApiErrors()
  @Get('changes')
  listConfigurationChanges(
    @Query() query: PageQueryDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ConfigurationChangeListDto> {
    return this.edits.changes(query, principal);
  }

  @ApiOperation({
    summary: 'Read an edit of gateway.yaml',
    description: 'With its text, and what would change if it were restored.',
  })
  @ApiParam(CHANGE_ID)
  @ApiOkResponse({ type: ConfigurationChangeDetailsDto, headers })
  @ApiErrors()
  @Get('changes/:id')
  readConfigurationChange(
    @Param('id') id: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ConfigurationChangeDetailsDto> {
    return this.edits.change(id, principal);
  }

  @ApiOperation({
    summary: 'Restore gateway.yaml',
    description:
      'Writes the text of an earlier edit, as a new edit: it is checked in the same way. A secret that the file no longer has at its place is a fault.',
  })
  @ApiParam(CHANGE_ID)
  @ApiOkResponse({ type: AppliedConfigurationDto, headers })
  @ApiErrors(409)
  @HttpCode(200)
  @Post('changes/:id/restore')
  restoreConfigurationChange(
    @Param('id') id: string,
    @Body() body: RestoreConfigurationDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AppliedConfigurationDto> {
    return this.edits.restore(id, body, principal);
  }
}
