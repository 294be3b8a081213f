import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res, UsePipes } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiKeySecurity } from '../auth/admin.decorator.js';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import { ApiErrors, REQUEST_ID_HEADER } from '../errors/api-errors.decorator.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { StrictBodyPipe } from '../http/strict-body.pipe.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import type { JsonObject } from '../runtime/json-value.js';
import { BackgroundResponses } from './background-responses.js';
import {
  CompactedResponseDto,
  DeletedResponseDto,
  InputItemListDto,
  InputTokensDto,
  ResponseObjectDto,
} from './response.dto.js';
import { CompactRequestDto, InputTokensRequestDto, ResponseRequestDto } from './response-request.dto.js';
import { InputItemsQueryDto, ReadResponseQueryDto } from './response-reading.dto.js';
import { COMPACT_EXAMPLES, INPUT_TOKENS_EXAMPLES, RESPONSE_EXAMPLES, STREAM_EXAMPLE } from './responses.examples.js';
import { ResponseReplay } from './response-replay.js';
import { ResponsesResponder } from './responses-responder.js';
import { compactedOf, compactionBody, ResponsesService } from './responses.service.js';

const RESPONSE_ID = {
  name: 'response_id',
  description: 'The id of the response.',
  example: 'resp_3f1c0e8a9b7d4c553f1c0e8a9b7d4c553f1c0e8a9b7d4c55',
};

@ApiTags('Responses')
@ApiExtraModels(ResponseObjectDto)
@Controller('v1/responses')
export class ResponsesController {
  constructor(
    private readonly responder: ResponsesResponder,
    private readonly responses: ResponsesService,
    private readonly background: BackgroundResponses,
    private readonly replay: ResponseReplay,
  ) {}

  @ApiOperation({
    summary: 'Create a response',
    description: [
      "OpenAI's Responses API on whichever provider serves the model. A provider that has the API gets the request as it is, and",
      'its response comes back as it is; for any other both are translated.',
      '',
      'With `stream: true` the response is `text/event-stream`, in order `response.created`, `response.in_progress`, the events of',
      'each item, and as the last one `response.completed`, `response.incomplete` or `response.failed`.',
      '',
      'A response is kept for `previous_response_id` before its last event is sent. With `background: true` it is made without the',
      'client: the response to the request is `queued`, or with `stream: true` its events; read it by its id until its `status` is',
      'another than `in_progress`. `conversation` is not supported. WebSocket connections get 426.',
    ].join('\n'),
  })
  @ApiBody({ type: ResponseRequestDto, examples: RESPONSE_EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'The response, or with `stream: true` its events.',
    headers: MODEL_RESPONSE_HEADERS,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(ResponseObjectDto) } },
      'text/event-stream': { schema: { type: 'string' }, example: STREAM_EXAMPLE },
    },
  })
  @ModelEndpoint()
  @Post()
  createResponse(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(body, { principal, request, response });
  }

  @ApiOperation({
    summary: 'Compact a conversation',
    description:
      'Makes one item of a whole conversation, which any model of the gateway can go on from. Send it as `input` in place of the items.',
  })
  @ApiBody({ type: CompactRequestDto, examples: COMPACT_EXAMPLES })
  @ApiOkResponse({ type: CompactedResponseDto, headers: MODEL_RESPONSE_HEADERS })
  @ModelEndpoint()
  @Post('compact')
  compactConversation(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const exchange = { principal, request, response };
    return this.responder.respond(compactionBody(body), exchange, (whole) => ({ ...compactedOf(whole) }));
  }

  @ApiOperation({
    summary: 'Count the tokens of an input',
    description: [
      'Takes the body of POST /v1/responses; `input` may be absent. A provider that has the Responses API counts by itself. For other',
      'models it is an estimate that is rather too high. It costs nothing and counts against no limit.',
    ].join('\n'),
  })
  @ApiBody({ type: InputTokensRequestDto, examples: INPUT_TOKENS_EXAMPLES })
  @ApiOkResponse({ type: InputTokensDto, headers: REQUEST_ID_HEADER })
  @ModelEndpoint()
  @Post('input_tokens')
  countInputTokens(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.countInput(body, { principal, request, response });
  }

  @ApiKeySecurity()
  @ApiOperation({
    summary: 'Read a response',
    description: [
      'A response that is kept. One of another key is a 404.',
      '',
      'With `stream=true` the events of a response that was created with `background: true`: those behind `starting_after`, then those',
      'to come, and the last event when it is finished. If it was created without `stream: true`, the last event is the only one.',
    ].join('\n'),
  })
  @ApiParam(RESPONSE_ID)
  @ApiResponse({
    status: 200,
    description: 'The response, or with `stream=true` its events.',
    headers: REQUEST_ID_HEADER,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(ResponseObjectDto) } },
      'text/event-stream': { schema: { type: 'string' }, example: STREAM_EXAMPLE },
    },
  })
  @ApiErrors()
  @UsePipes(StrictBodyPipe)
  @Get(':response_id')
  async readResponse(
    @Param('response_id') responseId: string,
    @Query() { stream, starting_after: after = -1 }: ReadResponseQueryDto,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (stream === 'true') await this.replay.send(responseId, after, { principal, request, response });
    else response.json(await this.responses.read(principal, responseId));
  }

  @ApiKeySecurity()
  @ApiOperation({ summary: 'Delete a response', description: 'Conversations cannot go on from it any more.' })
  @ApiParam(RESPONSE_ID)
  @ApiOkResponse({ type: DeletedResponseDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @Delete(':response_id')
  deleteResponse(
    @Param('response_id') responseId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeletedResponseDto> {
    return this.responses.delete(principal, responseId);
  }

  @ApiKeySecurity()
  @ApiOperation({ summary: 'List the input of a response', description: "The items of the request's own `input`." })
  @ApiParam(RESPONSE_ID)
  @ApiOkResponse({ type: InputItemListDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @UsePipes(StrictBodyPipe)
  @Get(':response_id/input_items')
  listInputItems(
    @Param('response_id') responseId: string,
    @Query() query: InputItemsQueryDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<InputItemListDto> {
    return this.responses.listInput(principal, responseId, query);
  }

  @ApiKeySecurity()
  @ApiOperation({
    summary: 'Cancel a response',
    description:
      'Ends a response that is being made in the background; one that is finished stays as it is. A 400 for one that was not made in the background.',
  })
  @ApiParam(RESPONSE_ID)
  @ApiOkResponse({ type: ResponseObjectDto, headers: REQUEST_ID_HEADER })
  @ApiErrors()
  @HttpCode(200)
  @Post(':response_id/cancel')
  cancelResponse(
    @Param('response_id') responseId: string,
    @CurrentPrincipal() principal: Principal,
  ): Promise<JsonObject> {
    return this.background.cancel(principal, responseId);
  }
}
