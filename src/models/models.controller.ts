import { ApiKeySecurity } from '../auth/admin.decorator.js';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { ModelDto, ModelListDto } from './models.dto.js';
import { ModelsService } from './models.service.js';

@ApiTags('Models')
@ApiKeySecurity()
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly models: ModelsService) {}

  @ApiOperation({ summary: 'List models', description: 'Only those that the key may call.' })
  @ApiOkResponse({ type: ModelListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Get()
  listModels(@CurrentPrincipal() principal: Principal): Promise<ModelListDto> {
    return this.models.list(principal);
  }

  @ApiOperation({ summary: 'Read a model', description: 'A slash in the id may be sent raw or as `%2F`.' })
  @ApiParam({ name: 'id', description: 'The id of the model, slashes included.', example: 'sandbox/echo' })
  @ApiOkResponse({ type: ModelDto, headers: REQUEST_ID_HEADER })
  @ApiErrors(400)
  @Get('*id')
  readModel(@Param('id') id: string | string[], @CurrentPrincipal() principal: Principal): Promise<ModelDto> {
    return this.models.find(Array.isArray(id) ? id.join('/') : id, principal);
  }
}
