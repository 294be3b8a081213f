import type { CancelSignal } from '../../runtime/cancel-signal.js';
import { delay } from '../../runtime/delay.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  Delta,
  FinishReason,
} from '../../operations/chat/chat-completion.js';
import { GatewayError, notFound, rateLimitExceeded, upstreamError } from '../../errors/gateway-error.js';
import type { ChunkStream } from '../../operations/chat/preserialized-chunk.js';
import type { ListedModel } from '../../wire/openai-chat/map-model-list.js';
import { SANDBOX_TYPE } from '../definitions/sandbox.js';
import { type OperationPorts, Provider, type ProviderCall } from '../provider.js';
import {
  toFunctionCalls,
  toFunctionCallStream,
  usesFunctions,
  withTools,
} from '../../wire/openai-chat/legacy-functions.js';
import type { OperationName } from '../../operations/operation-types.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { ClientBody } from '../../operations/media/client-body.js';
import { Upload } from '../../operations/upload/upload.js';
import {
  imagesInSandbox,
  imageStreamInSandbox,
  speechInSandbox,
  speechStreamInSandbox,
  transcriptionInSandbox,
  transcriptionStreamInSandbox,
} from './media/sandbox-media.js';
import { embedInSandbox, moderateInSandbox, rerankInSandbox } from './sandbox-operations.js';
import { respondTo, newId, toCompletion, wordsOf, type SandboxResponse } from './sandbox-response.js';

/** Errors that every operation can be asked for, so that people can test how their code reacts. */
const FAULTS = ['slow', 'error-429', 'error-500'] as const;
const MODELS = {
  chat: ['echo', 'lorem', 'cut', ...FAULTS],
  embeddings: ['embed', ...FAULTS],
  rerank: ['rerank', ...FAULTS],
  moderations: ['moderate', ...FAULTS],
  images: ['image', 'cut', ...FAULTS],
  speech: ['speech', 'cut', ...FAULTS],
  transcription: ['transcribe', 'cut', ...FAULTS],
} as const satisfies Readonly<Partial<Record<OperationName, readonly string[]>>>;
type SandboxOperation = keyof typeof MODELS;

/** Delay of sandbox/slow, in milliseconds, where the request names none. */
const DEFAULT_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
/** Chunks of a stream after which others get their turn on the event loop. */
const CHUNKS_PER_TURN = 512;

/**
 * A deterministic upstream inside the process, for first steps and for testing client code: responses, tool calls, structured
 * output, and faults on demand. A word counts as a token. It has no price, so its cost is unknown.
 */
export class SandboxProvider extends Provider {
  readonly operations: OperationPorts = {
    chat: { invoke: (call) => this.complete(call), open: (call) => this.stream(call) },
    embeddings: { invoke: (call) => this.serve('embeddings', call, embedInSandbox) },
    rerank: { invoke: (call) => this.serve('rerank', call, rerankInSandbox) },
    moderations: { invoke: (call) => this.serve('moderations', call, moderateInSandbox) },
    images: {
      invoke: (call) => this.serveMedia('images', call, imagesInSandbox),
      open: (call) => this.serveMedia('images', call, imageStreamInSandbox, true),
    },
    speech: {
      invoke: (call) => this.serveMedia('speech', call, speechInSandbox),
      open: (call) => this.serveMedia('speech', call, speechStreamInSandbox, true),
    },
    transcription: {
      invoke: (call) => this.serveMedia('transcription', call, transcriptionInSandbox),
      open: (call) => this.serveMedia('transcription', call, transcriptionStreamInSandbox, true),
    },
  };

  constructor(readonly name: string) {
    super();
  }

  async complete(call: ProviderCall): Promise<ChatCompletion> {
    const response = await this.response(call);
    if (call.upstreamModel === 'cut') throw cutOff();
    const completion = toCompletion(this.modelOf(call), response);
    return usesFunctions(call.request) ? toFunctionCalls(completion) : completion;
  }

  async stream(call: ProviderCall): Promise<ChunkStream> {
    const response = await this.response(call);
    const chunks = toChunks(this.modelOf(call), response, call.upstreamModel === 'cut', call.signal);
    return usesFunctions(call.request) ? toFunctionCallStream(chunks) : chunks;
  }

  override listModels(): Promise<readonly ListedModel[]> {
    const ids = new Set(Object.values(MODELS).flat());
    return Promise.resolve([...ids].map((id) => ({ id, owned_by: SANDBOX_TYPE })));
  }

  private modelOf({ upstreamModel }: ProviderCall<unknown>): string {
    return `${this.name}/${upstreamModel}`;
  }

  private async response(call: ProviderCall): Promise<SandboxResponse> {
    const { request, upstreamModel } = call;
    await this.assertServed('chat', call, request);
    return respondTo(upstreamModel, usesFunctions(request) ? withTools(request) : request);
  }

  private async serve<Request extends Readonly<JsonObject>, Result>(
    operation: SandboxOperation,
    call: ProviderCall<Request>,
    respond: (call: ProviderCall<Request>, model: string) => Promise<Result> | Result,
  ): Promise<Result> {
    await this.assertServed(operation, call, call.request);
    return respond(call, this.modelOf(call));
  }

  /** A body with files has no options of the sandbox. */
  private async serveMedia<Request extends { readonly body: ClientBody }, Result>(
    operation: SandboxOperation,
    call: ProviderCall<Request>,
    respond: (call: ProviderCall<Request>) => Promise<Result> | Result,
    isStream = false,
  ): Promise<Result> {
    const { body } = call.request;
    await this.assertServed(operation, call, body instanceof Upload ? {} : body);
    if (call.upstreamModel === 'cut' && !isStream) throw cutOff();
    return respond(call);
  }

  /** The checks and the delay of every sandbox model before its first token. */
  private async assertServed(
    operation: SandboxOperation,
    { upstreamModel, signal }: ProviderCall<unknown>,
    options: Readonly<JsonObject>,
  ): Promise<void> {
    signal.throwIfAborted();
    const models: readonly string[] = MODELS[operation];
    if (!models.includes(upstreamModel)) {
      throw notFound(
        `The model \`${this.name}/${upstreamModel.slice(0, 100)}\` does not exist. For ${operation} the sandbox has ${models.join(', ')}.`,
        'model_not_found',
        'model',
      );
    }
    switch (upstreamModel as (typeof FAULTS)[number]) {
      case 'slow':
        await delay(delayOf(options[SANDBOX_TYPE]), signal);
        return;
      case 'error-429':
        throw rateLimitExceeded({
          message: 'The sandbox model error-429 is always rate limited. Retry after a second.',
          retryable: true,
          retryAfterMs: 1_000,
        });
      case 'error-500':
        throw upstreamError({ message: 'The sandbox model error-500 always fails.' });
    }
  }
}

function cutOff(): GatewayError {
  return upstreamError({ message: 'The sandbox model cut always breaks off half-way.' });
}

function delayOf(options: unknown): number {
  const delay = (options as { delay_ms?: unknown } | null | undefined)?.delay_ms;
  return typeof delay === 'number' && delay >= 0 ? Math.min(delay, MAX_DELAY_MS) : DEFAULT_DELAY_MS;
}

async function* toChunks(
  model: string,
  response: SandboxResponse,
  isCut: boolean,
  signal: CancelSignal,
): AsyncGenerator<readonly ChatCompletionChunk[]> {
  const head = {
    id: newId('chatcmpl-'),
    object: 'chat.completion.chunk',
    created: Math.floor(Date.now() / 1_000),
    model,
  } as const;
  const indexes = Array.from({ length: response.choices }, (_, index) => index);
  const group = (delta: Delta, finishReason: FinishReason | null = null): ChatCompletionChunk[] =>
    indexes.map((index) => ({
      ...head,
      choices: [{ index, delta, logprobs: null, finish_reason: finishReason }],
    }));
  const whole = isCut ? Math.max(1, Math.floor(countOf(deltasOf(response)) / 2)) : Infinity;
  let sent = 0;
  let chunks = 0;
  for (const delta of deltasOf(response)) {
    if (sent === whole) break;
    yield group(delta);
    sent += 1;
    chunks += indexes.length;
    // A long response must not block the event loop: a disconnect must be noticed and others served.
    if (chunks >= CHUNKS_PER_TURN) {
      chunks = 0;
      await new Promise(setImmediate);
    }
    signal.throwIfAborted();
  }
  if (isCut) throw cutOff();
  yield group({}, response.finishReason);
  yield [{ ...head, choices: [], usage: response.usage }];
}

function countOf(items: Iterable<unknown>): number {
  let count = 0;
  for (const _item of items) count += 1;
  return count;
}

function* deltasOf({ text, toolCalls }: SandboxResponse): Generator<Delta> {
  if (toolCalls.length > 0) {
    for (const [index, { id, type, function: called }] of toolCalls.entries()) {
      yield {
        ...(index === 0 && { role: 'assistant' as const, content: null }),
        tool_calls: [{ index, id, type, function: { name: called.name, arguments: '' } }],
      };
      for (const piece of pieces(called.arguments)) yield { tool_calls: [{ index, function: { arguments: piece } }] };
    }
    return;
  }
  let isFirst = true;
  for (const content of wordsOf(text)) {
    yield isFirst ? { role: 'assistant', content } : { content };
    isFirst = false;
  }
  if (isFirst) yield { role: 'assistant', content: '' };
}

/** Arguments come in pieces that end anywhere, as real providers send them. */
function* pieces(text: string): Generator<string> {
  for (const [piece] of text.matchAll(/[^]{1,12}/gu)) yield piece;
}
