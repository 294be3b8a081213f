import { Body, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { Admin } from '../../auth/admin.decorator.js';
import { CurrentPrincipal } from '../../auth/current-principal.decorator.js';
import type { Principal } from '../../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../../errors/api-errors.decorator.js';
import { ClientGone } from '../../http/client-gone.js';
import type { HttpRequest } from '../../http/http-types.js';
import { KnownProviderListDto, TestProviderKeyDto } from './known-providers.dto.js';
import { KnownProviders } from './known-providers.service.js';
import { ProviderTestDto } from './providers.dto.js';

const headers = REQUEST_ID_HEADER;

@Admin('Admin: providers', 'v1/admin/known-providers')
export class KnownProvidersController {
  constructor(private readonly providers: KnownProviders) {}

  @ApiOperation({
    summary: 'List the providers that need only a key',
    description: 'Whether they are set up, and the variable that sets each up.',
  })
  @ApiOkResponse({ type: KnownProviderListDto, headers })
  @ApiErrors()
  @Get()
  listKnownProviders(): KnownProviderListDto {
    return this.providers.list();
  }

  @ApiOperation({
    summary: 'Test a key of a provider',
    description:
      "The gateway reads the provider's list of models with the key, or asks one model for a short response, before the key is part of the configuration. The key is neither stored nor logged. The result says whether the provider responded, or why not; the status is 200 either way.",
  })
  @ApiParam({ name: 'name', description: 'The name of the provider in the list.', example: 'openai' })
  @ApiOkResponse({ type: ProviderTestDto, headers })
  @ApiErrors()
  @HttpCode(200)
  @Post(':name/test')
  testProviderKey(
    @Param('name') name: string,
    @Body() body: TestProviderKeyDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @ClientGone() signal: AbortSignal,
  ): Promise<ProviderTestDto> {
    return this.providers.test(name, body, { principal, requestId: request.id, signal });
  }
}
