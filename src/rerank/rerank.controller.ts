import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { JsonResponder } from '../model-endpoint/json-responder.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { RerankEndpoint, RerankV2Endpoint } from './rerank-endpoint.js';
import { RerankRequestDto, RerankResponseDto } from './rerank.dto.js';
import { RERANK_EXAMPLES } from './rerank.examples.js';

const DESCRIPTION = [
  'Sorts documents by how well they fit a query, best first, as Cohere, Jina and vLLM do.',
  '',
  'An object is compared by its `text`, or by its `rank_fields` where the provider takes texts alone. Fields that are not',
  "listed here travel through to providers of Jina's format.",
].join('\n');
const BODY = { type: RerankRequestDto, examples: RERANK_EXAMPLES };
const RESPONSE = { type: RerankResponseDto, description: 'The ranking.', headers: MODEL_RESPONSE_HEADERS };

@ApiTags('Rerank')
@Controller()
export class RerankController {
  constructor(
    private readonly responder: JsonResponder,
    private readonly endpoint: RerankEndpoint,
    private readonly endpointV2: RerankV2Endpoint,
  ) {}

  @ApiOperation({ summary: 'Rank documents', description: DESCRIPTION })
  @ApiBody(BODY)
  @ApiOkResponse(RESPONSE)
  @ModelEndpoint()
  @Post('v1/rerank')
  rankDocuments(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(this.endpoint, body, { principal, request, response });
  }

  @ApiOperation({ summary: 'Rank documents, at the path of version 2 of Cohere', description: DESCRIPTION })
  @ApiBody(BODY)
  @ApiOkResponse(RESPONSE)
  @ModelEndpoint()
  @Post('v2/rerank')
  rankDocumentsV2(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(this.endpointV2, body, { principal, request, response });
  }
}
