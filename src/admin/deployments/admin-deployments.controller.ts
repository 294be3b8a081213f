import { Admin } from '../../auth/admin.decorator.js';
import { Body, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { DeploymentReport } from '../../routing/deployments/deployment-report.service.js';
import {
  DeploymentDto,
  DeploymentListDto,
  DrainDeploymentDto,
  EnableDeploymentDto,
} from '../../routing/deployments/deployments.dto.js';
import { DeploymentDrains } from './deployment-drains.service.js';

const headers = REQUEST_ID_HEADER;

@Admin('Admin: deployments', 'v1/admin/deployments')
export class AdminDeploymentsController {
  constructor(
    private readonly deployments: DeploymentReport,
    private readonly drains: DeploymentDrains,
  ) {}

  @ApiOperation({
    summary: 'List the deployments',
    description: 'State, load and recent rates of every deployment, as this process has seen them.',
  })
  @ApiOkResponse({ type: DeploymentListDto, headers })
  @ApiErrors()
  @Get()
  listDeployments(): DeploymentListDto {
    return this.deployments.list();
  }

  @ApiOperation({
    summary: 'Drain a deployment',
    description:
      'Takes it out of service in all processes that share the database, within two seconds: it gets no new call, of clients or of batches, and calls in flight end as usual. It stays so over restarts and reloads, until it is enabled or `expires_in` is over. While all deployments of a model are drained, its requests are a 503, and tasks of batches wait. For one that is drained already, `reason` and `expires_in` are replaced. 404 where no provider of the configuration has it.',
  })
  @ApiOkResponse({ type: DeploymentDto, headers })
  @ApiErrors(404)
  @HttpCode(200)
  @Post('drain')
  drainDeployment(@Body() body: DrainDeploymentDto, @CurrentPrincipal() principal: Principal): Promise<DeploymentDto> {
    return this.drains.drain(body, principal);
  }

  @ApiOperation({
    summary: 'Use a drained deployment again',
    description: 'In all processes, within two seconds. For one that is not drained nothing changes.',
  })
  @ApiOkResponse({ type: DeploymentDto, headers })
  @ApiErrors(404)
  @HttpCode(200)
  @Post('enable')
  enableDeployment(
    @Body() body: EnableDeploymentDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeploymentDto> {
    return this.drains.enable(body, principal);
  }
}
