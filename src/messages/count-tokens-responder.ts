import { Injectable } from '@nestjs/common';
import { chatRequestOf } from '../model-endpoint/chat-request-of.js';
import { type Exchange, sendJson } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { TokenCounts } from '../model-endpoint/token-counts.js';
import type { JsonObject } from '../runtime/json-value.js';
import { ANTHROPIC } from '../wire/anthropic/anthropic-wire.js';

/** Handles POST /v1/messages/count_tokens. */
@Injectable()
export class CountTokensResponder {
  constructor(
    private readonly counts: TokenCounts,
    private readonly calls: LiveCalls,
  ) {}

  async respond(body: JsonObject, { principal, request, response }: Exchange): Promise<void> {
    const chat = chatRequestOf(ANTHROPIC, body);
    await this.calls.serve(
      principal,
      request,
      response,
      async (context) => {
        const tokens = await this.counts.count(chat, context);
        sendJson(response, JSON.stringify({ input_tokens: tokens }));
      },
      'anthropic-',
    );
  }
}
