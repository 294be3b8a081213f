import { Admin } from '../../auth/admin.decorator.js';
import { Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { DeploymentReport } from '../../routing/deployments/deployment-report.service.js';
import { DeploymentListDto } from '../../routing/deployments/deployments.dto.js';

@Admin('Admin: deployments', 'v1/admin/deployments')
export class AdminDeploymentsController {
  constructor(private readonly deployments: DeploymentReport) {}

  @ApiOperation({
    summary: 'List the deployments',
    description: 'State, load and recent rates of every deployment, as this process has seen them.',
  })
  @ApiOkResponse({ type: DeploymentListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listDeployments(): DeploymentListDto {
    return this.deployments.list();
  }
}
