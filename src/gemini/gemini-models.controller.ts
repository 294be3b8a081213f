import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiKeySecurity } from '../auth/admin.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import { modelOf } from './gemini-body.js';
import { GeminiModels } from './gemini-models.js';
import { ModelInPath } from './gemini.controller.js';
import { GeminiModelDto, GeminiModelListDto } from './gemini.dto.js';
import { GoogleErrors } from './google-errors.decorator.js';

/** The models in Google's form. */
@ApiTags('Gemini')
@Controller('v1beta/models')
export class GeminiModelsController {
  constructor(private readonly models: GeminiModels) {}

  @ApiOperation({
    summary: "List models in Gemini's form",
    description: 'Only those that the key may call, on one page.',
  })
  @ApiKeySecurity()
  @ApiOkResponse({ type: GeminiModelListDto, headers: REQUEST_ID_HEADER })
  @GoogleErrors()
  @Get()
  listGeminiModels(@CurrentPrincipal() principal: Principal): Promise<GeminiModelListDto> {
    return this.models.list(principal);
  }

  @ApiOperation({
    summary: "Read a model in Gemini's form",
    description: 'A slash in the id may be sent raw or as `%2F`.',
  })
  @ApiKeySecurity()
  @ModelInPath('sandbox/echo')
  @ApiOkResponse({ type: GeminiModelDto, headers: REQUEST_ID_HEADER })
  @GoogleErrors()
  @Get('*model')
  readGeminiModel(
    @Param('model') model: string | string[],
    @CurrentPrincipal() principal: Principal,
  ): Promise<GeminiModelDto> {
    return this.models.find(modelOf(model), principal);
  }
}
