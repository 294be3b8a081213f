import { Injectable } from '@nestjs/common';
import { Engine } from '../engine/engine.js';
import type { TaskForm } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { WireEndpoint } from '../model-endpoint/wire-endpoint.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';

/** `POST /v1/messages`. */
@Injectable()
export class MessagesEndpoint extends WireEndpoint {
  readonly path = '/v1/messages';
  readonly task: TaskForm = {
    defaults: { max_tokens: 'max_tokens', temperature: 'temperature', top_p: 'top_p' },
    ofText: (content) => ({ messages: [{ role: 'user', content }] }),
  };

  constructor(engine: Engine, endpoints: JsonEndpoints) {
    super(engine, endpoints, ANTHROPIC);
  }
}
