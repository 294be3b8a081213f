import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOperation, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { ChatCompletionRequestDto } from './chat-completion-request.dto.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { ChatCompletionChunkDto, ChatCompletionDto } from './chat-completion.dto.js';
import { ChatRequestPipe } from './chat-request.pipe.js';
import { ChatResponder } from './chat-responder.js';
import { CHAT_EXAMPLES, CHAT_RESPONSE_HEADERS, STREAM_EXAMPLE } from './chat.examples.js';

@ApiTags('Chat')
@ApiExtraModels(ChatCompletionDto, ChatCompletionChunkDto)
@Controller('v1/chat')
export class ChatController {
  constructor(private readonly responder: ChatResponder) {}

  @ApiOperation({
    summary: 'Create a chat completion',
    description: [
      'Generates a response for a conversation, on whichever provider serves the model.',
      '',
      'With `stream: true` the response is `text/event-stream`: frames `data: {chunk}`, in order the deltas, a chunk with',
      '`finish_reason` for each choice, a usage chunk when `stream_options.include_usage` is set, and `data: [DONE]`,',
      'which ends every whole stream and only a whole one. A failure before the first event has its own HTTP status;',
      'after it, the stream ends with `data: {"error": {...}}` and no `[DONE]`. Lines that begin with a colon are',
      'keep-alive comments.',
      '',
      'Fields that are not listed here travel through to the provider untouched.',
    ].join('\n'),
  })
  @ApiBody({ type: ChatCompletionRequestDto, examples: CHAT_EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'The completion, or with `stream: true` its chunks as server-sent events.',
    headers: CHAT_RESPONSE_HEADERS,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(ChatCompletionDto) } },
      'text/event-stream': {
        schema: { type: 'string', description: 'Each `data:` line but `[DONE]` is a ChatCompletionChunkDto.' },
        example: STREAM_EXAMPLE,
      },
    },
  })
  @ModelEndpoint()
  @Post('completions')
  createChatCompletion(
    @Body(ChatRequestPipe) body: ChatRequest,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(body, principal, request, response);
  }
}
