import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '../../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { InstanceListDto } from './instances.dto.js';
import { Instances } from './instances.service.js';

@ApiTags('Admin: instances')
@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@RequireScope('admin')
@Controller('v1/admin/instances')
export class InstancesController {
  constructor(private readonly instances: Instances) {}

  @ApiOperation({
    summary: 'List the instances',
    description:
      'Every process that shares this database, with its role, version and configuration. Different hashes mean that some have not reloaded.',
  })
  @ApiOkResponse({ type: InstanceListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(401, 403, 503)
  @Get()
  listInstances(): Promise<InstanceListDto> {
    return this.instances.list();
  }
}
