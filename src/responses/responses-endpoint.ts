import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import { JsonEndpoint, type TaskForm, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { readResponseBody, ResponsePreparation, type ResponseBody } from './prepared-response.js';
import { ResponseCalls } from './response-calls.js';

/** `POST /v1/responses`, as far as its responses are whole. */
@Injectable()
export class ResponsesEndpoint extends JsonEndpoint<ResponseBody> {
  readonly path = '/v1/responses';
  readonly operation = CHAT.name;
  override readonly dialect = 'openai-responses';
  readonly task: TaskForm = {
    defaults: { max_tokens: 'max_output_tokens', temperature: 'temperature', top_p: 'top_p' },
    ofText: (input) => ({ input }),
    hasPrompt: true,
    // A task waits for its response, which is its result.
    neverTrue: ['background'],
  };

  constructor(
    private readonly preparation: ResponsePreparation,
    private readonly responses: ResponseCalls,
    endpoints: JsonEndpoints,
  ) {
    super();
    endpoints.add(this);
  }

  parse(body: unknown): ResponseBody {
    return readResponseBody(body);
  }

  override async sized(request: ResponseBody, keyId: string): Promise<SizedRequest> {
    return { operation: CHAT, request: (await this.preparation.prepare(request, keyId)).view };
  }

  async run(request: ResponseBody, context: CallContext): Promise<WrittenResponse> {
    return this.responses.run(await this.preparation.prepare(request, context.principal.keyId), context);
  }
}
