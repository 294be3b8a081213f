import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { Engine } from '../engine/engine.js';
import { chatRequestOf } from '../model-endpoint/chat-request-of.js';
import { runAndWrite, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { type Exchange, JsonResponder, sendJson } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { TokenCounts } from '../model-endpoint/token-counts.js';
import { WireResponder } from '../model-endpoint/wire-responder.js';
import { EMBEDDINGS } from '../operations/embeddings/embedding-operation.js';
import type { EmbeddingRequest } from '../operations/embeddings/embedding-request.js';
import { GEMINI } from '../wire/gemini/gemini-wire.js';
import { readBatchEmbedRequest, readEmbedRequest, writeEmbeddings } from './embed-request.js';
import { requestToCount, withUrl } from './gemini-body.js';
import { JsonArrayFrames } from './json-array-frames.js';

/** Handles the methods of a model in Gemini's form. */
@Injectable()
export class GeminiResponder {
  constructor(
    private readonly wires: WireResponder,
    private readonly json: JsonResponder,
    private readonly calls: LiveCalls,
    private readonly counts: TokenCounts,
    private readonly engine: Engine,
  ) {}

  generate(model: string, body: unknown, exchange: Exchange): Promise<void> {
    return this.wires.respond(GEMINI, withUrl(body, model, false), exchange);
  }

  /** `alt=sse` asks for server-sent events; without it the events are the elements of an array. */
  stream(model: string, body: unknown, exchange: Exchange): Promise<void> {
    const request = withUrl(body, model, true);
    if (queryOf(exchange.request.url).get('alt') === 'sse') return this.wires.respond(GEMINI, request, exchange);
    return this.wires.respond(GEMINI, request, exchange, {
      frames: (frames) => new JsonArrayFrames(frames),
      streamHeaders: { 'content-type': 'application/json; charset=utf-8' },
    });
  }

  /** It costs nothing and counts against no limit. */
  async count(model: string, body: unknown, { principal, request, response }: Exchange): Promise<void> {
    const chat = chatRequestOf(GEMINI, requestToCount(body, model));
    await this.calls.serve(principal, request, response, async (context) => {
      const totalTokens = await this.counts.count(chat, context);
      sendJson(response, JSON.stringify({ totalTokens }));
    });
  }

  embed(model: string, body: unknown, exchange: Exchange): Promise<void> {
    return this.embeddings((given) => readEmbedRequest(given, model), false, body, exchange);
  }

  embedAll(model: string, body: unknown, exchange: Exchange): Promise<void> {
    return this.embeddings((given) => readBatchEmbedRequest(given, model), true, body, exchange);
  }

  private embeddings(
    parse: (body: unknown) => EmbeddingRequest,
    isBatch: boolean,
    body: unknown,
    exchange: Exchange,
  ): Promise<void> {
    const run = (request: EmbeddingRequest, context: CallContext): Promise<WrittenResponse> =>
      runAndWrite(this.engine, EMBEDDINGS, request, { ...context, wireFormat: GEMINI.name }, (result) =>
        writeEmbeddings(result, isBatch),
      );
    return this.json.respond({ operation: EMBEDDINGS.name, parse, run }, body, exchange);
  }
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
}
