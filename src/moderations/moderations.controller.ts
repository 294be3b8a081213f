import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { JsonResponder } from '../model-endpoint/json-responder.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { ModerationsEndpoint } from './moderations-endpoint.js';
import { ModerationRequestDto, ModerationResponseDto } from './moderations.dto.js';
import { MODERATION_EXAMPLES } from './moderations.examples.js';

@ApiTags('Moderations')
@Controller('v1')
export class ModerationsController {
  constructor(
    private readonly responder: JsonResponder,
    private readonly endpoint: ModerationsEndpoint,
  ) {}

  @ApiOperation({
    summary: 'Look for harmful content',
    description: [
      'Says for each text, or for one input of texts and pictures, which categories of harmful content were found.',
      '',
      'Categories are those of the provider; where one of them means the same as one of OpenAI, it has that name as well.',
    ].join('\n'),
  })
  @ApiBody({ type: ModerationRequestDto, examples: MODERATION_EXAMPLES })
  @ApiOkResponse({ type: ModerationResponseDto, description: 'The results.', headers: MODEL_RESPONSE_HEADERS })
  @ModelEndpoint()
  @Post('moderations')
  createModeration(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(this.endpoint, body, { principal, request, response });
  }
}
