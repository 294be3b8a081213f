import { Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Admin } from '../../auth/admin.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { ConfigurationDto } from './configuration.dto.js';
import { ConfigurationReport } from './configuration.service.js';

@Admin('Admin: configuration', 'v1/admin/configuration')
export class ConfigurationController {
  constructor(private readonly configuration: ConfigurationReport) {}

  @ApiOperation({
    summary: 'Read the configuration',
    description:
      'The settings of gateway.yaml that are in force in the process that responds, without secrets: sections that need a restart as they were at the start, the others as of the last reload. Variables are in place of their names.',
  })
  @ApiOkResponse({ type: ConfigurationDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  readConfiguration(): ConfigurationDto {
    return this.configuration.read();
  }
}
