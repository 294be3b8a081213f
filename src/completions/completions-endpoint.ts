import { Injectable } from '@nestjs/common';
import { Engine } from '../engine/engine.js';
import type { TaskForm } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { WireEndpoint } from '../model-endpoint/wire-endpoint.js';
import { OPENAI_COMPLETIONS } from '../wire/openai-completions/openai-completions-wire.js';

/** `POST /v1/completions`. */
@Injectable()
export class CompletionsEndpoint extends WireEndpoint {
  readonly path = '/v1/completions';
  readonly task: TaskForm = {
    defaults: { max_tokens: 'max_tokens', temperature: 'temperature', top_p: 'top_p' },
    ofText: (prompt) => ({ prompt }),
    hasPrompt: true,
  };

  constructor(engine: Engine, endpoints: JsonEndpoints) {
    super(engine, endpoints, OPENAI_COMPLETIONS);
  }
}
