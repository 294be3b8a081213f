import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { MESSAGES_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { WireResponder } from '../model-endpoint/wire-responder.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';
import { CountTokensResponder } from './count-tokens-responder.js';
import { MessagesErrors } from './messages-errors.decorator.js';
import { messagesBody, withSession } from './messages-body.js';
import { CountTokensRequestDto, MessageDto, MessagesRequestDto, TokenCountDto } from './messages.dto.js';
import { COUNT_TOKENS_EXAMPLES, MESSAGES_EXAMPLES } from './messages.examples.js';

const VERSION_HEADER = {
  name: 'anthropic-version',
  required: false,
  description: 'Version of the API, such as 2023-06-01, which goes to Anthropic as it is.',
  schema: { type: 'string' as const },
};
const BETA_HEADER = {
  name: 'anthropic-beta',
  required: false,
  description: 'Betas, separated by commas; any name goes to Anthropic as it is. Other providers do not get it.',
  schema: { type: 'string' as const },
};
const SESSION_HEADER = {
  name: 'x-claude-code-session-id',
  required: false,
  description:
    "The client's session. Its requests go to the same deployment while that is healthy, for the sake of its prompt cache.",
  schema: { type: 'string' as const },
};

@ApiTags('Messages')
@Controller('v1/messages')
export class MessagesController {
  constructor(
    private readonly responder: WireResponder,
    private readonly counts: CountTokensResponder,
  ) {}

  @ApiOperation({
    summary: 'Create a message',
    description: [
      "Anthropic's Messages API on any model. On Claude, body and response pass through unchanged, with fields that the gateway does",
      'not know. On other models the request is translated; what has no counterpart is named in `x-gateway-dropped-params`. So are',
      'tools that only Anthropic runs; where there is no other tool, or `tool_choice` asks for one, they are a 400 that names it.',
      '',
      'With `stream: true` the response is `text/event-stream` with the events of the Messages API. Errors have the form',
      '`{"type": "error", "error": {"type", "message"}, "request_id"}`.',
    ].join('\n'),
  })
  @ApiHeader(VERSION_HEADER)
  @ApiHeader(BETA_HEADER)
  @ApiHeader(SESSION_HEADER)
  @ApiBody({ type: MessagesRequestDto, examples: MESSAGES_EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'The message, or with `stream: true` its events.',
    headers: MESSAGES_RESPONSE_HEADERS,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(MessageDto) } },
      'text/event-stream': { schema: { type: 'string', description: 'The events of the Messages API.' } },
    },
  })
  @ApiExtraModels(MessageDto)
  @MessagesErrors()
  @ModelEndpoint()
  @Post()
  createMessage(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    setRequestId(request, response);
    const exchange = { principal, request, response };
    return this.responder.respond(ANTHROPIC, messagesBody(body), exchange, { prepare: withSession(request.headers) });
  }

  @ApiOperation({
    summary: 'Count the tokens of a message',
    description: [
      'Takes the body of POST /v1/messages; `max_tokens` is not needed. Claude counts by itself. For other models it is an estimate',
      'that is rather too high. It costs nothing and counts against no limit.',
    ].join('\n'),
  })
  @ApiHeader(VERSION_HEADER)
  @ApiHeader(BETA_HEADER)
  @ApiBody({ type: CountTokensRequestDto, examples: COUNT_TOKENS_EXAMPLES })
  @ApiOkResponse({ type: TokenCountDto, description: 'The count.' })
  @MessagesErrors()
  @ModelEndpoint()
  @Post('count_tokens')
  countTokens(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    setRequestId(request, response);
    return this.counts.respond(messagesBody(body), { principal, request, response });
  }
}

/** Anthropic's SDKs read the id of a request under this name. */
function setRequestId({ id }: HttpRequest, response: HttpResponse): void {
  response.setHeader('request-id', id);
}
