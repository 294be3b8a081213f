import { Admin } from '../../auth/admin.decorator.js';
import { Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { InstanceListDto } from './instances.dto.js';
import { Instances } from './instances.service.js';

@Admin('Admin: instances', 'v1/admin/instances')
export class InstancesController {
  constructor(private readonly instances: Instances) {}

  @ApiOperation({
    summary: 'List the instances',
    description:
      'Every process that shares this database, with its role, version and configuration. Different hashes mean that some have not reloaded.',
  })
  @ApiOkResponse({ type: InstanceListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listInstances(): Promise<InstanceListDto> {
    return this.instances.list();
  }
}
