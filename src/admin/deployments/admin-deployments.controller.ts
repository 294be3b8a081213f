import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { RequireScope } from '../../auth/public.decorator.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { DeploymentReport } from '../../routing/deployments/deployment-report.service.js';
import { DeploymentListDto } from '../../routing/deployments/deployments.dto.js';

@ApiTags('Admin: deployments')
@ApiBearerAuth('bearer')
@ApiSecurity('x-api-key')
@RequireScope('admin')
@Controller('v1/admin/deployments')
export class AdminDeploymentsController {
  constructor(private readonly deployments: DeploymentReport) {}

  @ApiOperation({
    summary: 'List the deployments',
    description: 'State, load and recent rates of every deployment, as this process has seen them.',
  })
  @ApiOkResponse({ type: DeploymentListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(401, 403, 503)
  @Get()
  listDeployments(): DeploymentListDto {
    return this.deployments.list();
  }
}
