import { applyDecorators, Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiExcludeController,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { modelOf } from './gemini-body.js';
import { GeminiResponder } from './gemini-responder.js';
import {
  BatchEmbedContentsRequestDto,
  BatchEmbedContentsResponseDto,
  EmbedContentRequestDto,
  EmbedContentResponseDto,
  GeminiCountDto,
  GeminiCountRequestDto,
  GenerateContentRequestDto,
  GenerateContentResponseDto,
} from './gemini.dto.js';
import { GoogleErrors } from './google-errors.decorator.js';
import { BATCH_EMBED_EXAMPLES, COUNT_EXAMPLES, EMBED_EXAMPLES, GENERATE_EXAMPLES } from './gemini.examples.js';

/** The id of the model in the path. */
export const ModelInPath = (example: string): MethodDecorator & ClassDecorator =>
  applyDecorators(
    ApiParam({
      name: 'model',
      description: 'The id of the model, with or without `models/` before it. A slash may be sent raw or as `%2F`.',
      example,
    }),
  );
const CHAT_NOTE = [
  'Gemini passes body and response through unchanged. For other models the request is translated; what has no counterpart is named',
  "in `x-gateway-dropped-params`. The gateway's key is taken from `x-goog-api-key`, from `?key=`, or as everywhere else.",
];

/** The methods of a model in Google's Gemini API, on any model. */
@ApiTags('Gemini')
@Controller('v1beta/models')
export class GeminiController {
  constructor(private readonly responder: GeminiResponder) {}

  @ApiOperation({ summary: 'Generate content', description: CHAT_NOTE.join('\n') })
  @ModelInPath('sandbox/echo')
  @ApiBody({ type: GenerateContentRequestDto, examples: GENERATE_EXAMPLES })
  @ApiOkResponse({ type: GenerateContentResponseDto, description: 'The response.', headers: MODEL_RESPONSE_HEADERS })
  @GoogleErrors()
  @ModelEndpoint()
  @Post('*model\\:generateContent')
  generateContent(
    @Param('model') model: string | string[],
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.generate(modelOf(model), body, { principal, request, response });
  }

  @ApiOperation({
    summary: 'Generate content as a stream',
    description: [
      'With `alt=sse` the response is `text/event-stream`; without it, one JSON array whose elements come one by one.',
      '',
      ...CHAT_NOTE,
    ].join('\n'),
  })
  @ModelInPath('sandbox/echo')
  @ApiQuery({
    name: 'alt',
    required: false,
    description: '`sse` for server-sent events.',
    schema: { type: 'string', enum: ['sse', 'json'] },
  })
  @ApiBody({ type: GenerateContentRequestDto, examples: GENERATE_EXAMPLES })
  @ApiExtraModels(GenerateContentResponseDto)
  @ApiOkResponse({
    description: 'The events of the response.',
    headers: MODEL_RESPONSE_HEADERS,
    content: {
      'application/json': {
        schema: { type: 'array', items: { $ref: getSchemaPath(GenerateContentResponseDto) } },
      },
      'text/event-stream': { schema: { type: 'string', description: 'The same elements as events, with `alt=sse`.' } },
    },
  })
  @GoogleErrors()
  @ModelEndpoint()
  @Post('*model\\:streamGenerateContent')
  streamGenerateContent(
    @Param('model') model: string | string[],
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.stream(modelOf(model), body, { principal, request, response });
  }

  @ApiOperation({
    summary: 'Count tokens of content',
    description: 'An estimate. It costs nothing and counts against no limit.',
  })
  @ModelInPath('sandbox/echo')
  @ApiBody({ type: GeminiCountRequestDto, examples: COUNT_EXAMPLES })
  @ApiOkResponse({ type: GeminiCountDto, description: 'The count.' })
  @GoogleErrors()
  @ModelEndpoint()
  @Post('*model\\:countTokens')
  countGeminiTokens(
    @Param('model') model: string | string[],
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.count(modelOf(model), body, { principal, request, response });
  }

  @ApiOperation({ summary: 'Embed content', description: 'The vector of a text, by any model of embeddings.' })
  @ModelInPath('sandbox/embed')
  @ApiBody({ type: EmbedContentRequestDto, examples: EMBED_EXAMPLES })
  @ApiOkResponse({ type: EmbedContentResponseDto, description: 'The vector.', headers: MODEL_RESPONSE_HEADERS })
  @GoogleErrors()
  @ModelEndpoint()
  @Post('*model\\:embedContent')
  embedContent(
    @Param('model') model: string | string[],
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.embed(modelOf(model), body, { principal, request, response });
  }

  @ApiOperation({
    summary: 'Embed several contents',
    description: 'The vectors of several texts, in their order. The requests must have the same settings.',
  })
  @ModelInPath('sandbox/embed')
  @ApiBody({ type: BatchEmbedContentsRequestDto, examples: BATCH_EMBED_EXAMPLES })
  @ApiOkResponse({ type: BatchEmbedContentsResponseDto, description: 'The vectors.', headers: MODEL_RESPONSE_HEADERS })
  @GoogleErrors()
  @ModelEndpoint()
  @Post('*model\\:batchEmbedContents')
  batchEmbedContents(
    @Param('model') model: string | string[],
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.embedAll(modelOf(model), body, { principal, request, response });
  }
}

/** The same endpoints below `/v1`, which newer versions of Google's SDKs call. */
@ApiExcludeController()
@Controller('v1/models')
export class GeminiV1Controller extends GeminiController {}
