import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import { Engine } from '../engine/engine.js';
import { JsonEndpoint, writtenResponse, type TaskForm, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { printExact } from '../runtime/exact-integers.js';
import { parseChatRequest } from './chat-request.pipe.js';

/** `POST /v1/chat/completions`, as far as its responses are whole. */
@Injectable()
export class ChatEndpoint extends JsonEndpoint<ChatRequest> {
  readonly path = '/v1/chat/completions';
  readonly operation = CHAT.name;
  readonly task: TaskForm = {
    defaults: { max_tokens: 'max_tokens', temperature: 'temperature', top_p: 'top_p' },
    ofText: (content) => ({ messages: [{ role: 'user', content }] }),
  };

  constructor(
    private readonly engine: Engine,
    endpoints: JsonEndpoints,
  ) {
    super();
    endpoints.add(this);
  }

  parse(body: unknown): ChatRequest {
    return parseChatRequest(body);
  }

  override sized(request: ChatRequest): SizedRequest {
    return { operation: CHAT, request };
  }

  async run(request: ChatRequest, context: CallContext): Promise<WrittenResponse> {
    const completed = await this.engine.run(CHAT, request, context);
    return writtenResponse(completed, printExact(completed.result), completed.result.usage);
  }
}
