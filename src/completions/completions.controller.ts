import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOperation, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { CurrentPrincipal } from '../auth/current-principal.decorator.js';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { MODEL_RESPONSE_HEADERS, ModelEndpoint } from '../model-endpoint/model-endpoint.decorator.js';
import { objectBody } from '../model-endpoint/wire-endpoint.js';
import { WireResponder } from '../model-endpoint/wire-responder.js';
import { OPENAI_COMPLETIONS } from '../wire/openai-completions/openai-completions-wire.js';
import { CompletionDto, CompletionRequestDto } from './completions.dto.js';

const EXAMPLES = {
  prompt: { summary: 'A prompt', value: { model: 'sandbox/echo', prompt: 'Once upon a time', max_tokens: 100 } },
};

const STREAM_EXAMPLE = [
  'data: {"id":"cmpl-req_3f1c","object":"text_completion","created":1767225600,"model":"sandbox/echo","choices":[{"text":"Once","index":0,"logprobs":null,"finish_reason":null}]}',
  'data: [DONE]',
  '',
].join('\n\n');

@ApiTags('Completions')
@ApiExtraModels(CompletionDto)
@Controller('v1')
export class CompletionsController {
  constructor(private readonly responder: WireResponder) {}

  @ApiOperation({
    summary: 'Create a completion',
    description: [
      "OpenAI's legacy completions. On a chat model the prompt is one message of the user. With `stream: true` the response is",
      '`text/event-stream`, and its last chunk has the usage.',
      '',
      '`echo`, `suffix`, `logprobs`, `best_of`, several prompts and tokens in place of text go to a provider that has a completions',
      'API, unchanged, and its response comes back as it is. On all other models they are a 400 that names the field.',
    ].join('\n'),
  })
  @ApiBody({ type: CompletionRequestDto, examples: EXAMPLES })
  @ApiResponse({
    status: 200,
    description: 'The completion, or with `stream: true` its chunks as server-sent events.',
    headers: MODEL_RESPONSE_HEADERS,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(CompletionDto) } },
      'text/event-stream': { schema: { type: 'string' }, example: STREAM_EXAMPLE },
    },
  })
  @ModelEndpoint()
  @Post('completions')
  createCompletion(
    @Body() body: unknown,
    @CurrentPrincipal() principal: Principal,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    return this.responder.respond(OPENAI_COMPLETIONS, objectBody(body), { principal, request, response });
  }
}
