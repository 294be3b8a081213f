import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { JsonResponder } from '../model-endpoint/json-responder.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { EmbeddingsEndpoint } from './embeddings-endpoint.js';
import { EmbeddingListDto, EmbeddingRequestDto } from './embeddings.dto.js';
import { EMBEDDING_EXAMPLES } from './embeddings.examples.js';

@ApiTags('Embeddings')
@Controller('v1')
export class EmbeddingsController {
  constructor(
    private readonly responder: JsonResponder,
    private readonly endpoint: EmbeddingsEndpoint,
  ) {}

  @ApiOperation({
    summary: 'Create embeddings',
    description: [
      'Gives a vector for each input, in their order. A request with more inputs than the provider takes at once is sent in',
      'several calls, whose tokens are summed.',
      '',
      'Fields that are not listed here travel through to OpenAI-compatible providers. Other providers get those that they have',
      'a field for; the rest is named in `x-gateway-dropped-params`.',
    ].join('\n'),
  })
  @ApiBody({ type: EmbeddingRequestDto, examples: EMBEDDING_EXAMPLES })
  @ApiOkResponse({ type: EmbeddingListDto, description: 'The vectors.', headers: MODEL_RESPONSE_HEADERS })
  @ModelEndpoint()
  @Post('embeddings')
  createEmbeddings(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(this.endpoint, body, { principal, request, response });
  }
}
