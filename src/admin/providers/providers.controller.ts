import { Admin } from '../../auth/admin.decorator.js';
import { Body, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { ClientGone } from '../../http/client-gone.js';
import type { HttpRequest } from '../../http/http-types.js';
import { ProviderTests } from './provider-test.service.js';
import { ProviderListDto, ProviderTestDto, TestProviderDto } from './providers.dto.js';

const headers = REQUEST_ID_HEADER;

@Admin('Admin: providers', 'v1/admin/providers')
export class ProvidersController {
  constructor(private readonly tests: ProviderTests) {}

  @ApiOperation({
    summary: 'List the providers',
    description: 'Those of the configuration in force, without keys and addresses.',
  })
  @ApiOkResponse({ type: ProviderListDto, headers })
  @ApiErrors()
  @Get()
  listProviders(): ProviderListDto {
    return this.tests.list();
  }

  @ApiOperation({
    summary: 'Test a provider',
    description:
      "Reads the provider's list of models, or asks one model for a short response. The result says whether it responded, or why not; the status is 200 either way.",
  })
  @ApiParam({ name: 'name', description: 'Its name under `providers:`.', example: 'sandbox' })
  @ApiOkResponse({ type: ProviderTestDto, headers })
  @ApiErrors()
  @HttpCode(200)
  @Post(':name/test')
  testProvider(
    @Param('name') name: string,
    @Body() body: TestProviderDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @ClientGone() signal: AbortSignal,
  ): Promise<ProviderTestDto> {
    return this.tests.test(name, body, { principal, requestId: request.id, signal });
  }
}
