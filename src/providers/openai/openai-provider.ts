import { printExact } from '../../runtime/exact-integers.js';
import { SOURCE } from '../../operations/chat/canonical/sources.js';
import type { ChunkStream } from '../../operations/chat/preserialized-chunk.js';
import type { ChatCompletion, ChatMessage, ChatRequest } from '../../operations/chat/chat-completion.js';
import type { ProviderConfig, Quirks } from '../../config/gateway-config.js';
import {
  Provider,
  choiceCount,
  listTimeouts,
  type OperationPorts,
  plainTimeouts,
  ProviderCall,
  ProviderOptions,
} from '../provider.js';
import {
  toFunctionCalls,
  toFunctionCallStream,
  usesFunctions,
  withTools,
} from '../../wire/openai-chat/legacy-functions.js';
import { unsupportedParameter } from '../../wire/openai-chat/unsupported-parameter.js';
import type { FieldRules } from '../definitions/definition.js';
import { fieldRulesOf } from '../definitions/registry.js';
import { readResponse, ResponseLimits } from '../transport/response-text.js';
import { fitRequest } from '../../wire/openai-chat/fit-request.js';
import { type ListedModel, mapModelList } from '../../wire/openai-chat/map-model-list.js';
import { mapRequest } from '../../wire/openai-chat/map-request.js';
import { parseAnswer, parseCompletion } from '../../wire/openai-chat/parse-completion.js';
import { redactor } from '../../wire/errors/redact.js';
import { RequestHeaders } from '../transport/request-headers.js';
import { UpstreamChunkStream } from './upstream-chunk-stream.js';
import type { UpstreamRequest } from '../transport/upstream-request.js';
import { UpstreamPool } from '../transport/upstream-pool.js';

/**
 * OpenAI and every server that speaks its protocol (vLLM, Ollama, llama.cpp, Groq, Mistral, DeepSeek, OpenRouter, ...):
 * bodies pass through with all their fields, and what such servers get wrong is put right.
 */
export class OpenAiProvider extends Provider {
  readonly name: string;
  readonly operations: OperationPorts = {
    chat: { invoke: (call) => this.complete(call), open: (call) => this.stream(call) },
  };
  private readonly pool: UpstreamPool;
  private readonly headers: RequestHeaders;
  private readonly limits: ResponseLimits;
  private readonly chatPath: string;
  private readonly modelsPath: string;
  private readonly quirks: Quirks;
  private readonly rules: FieldRules | undefined;

  constructor(
    config: ProviderConfig,
    private readonly options: ProviderOptions,
  ) {
    super();
    const { origin, pathname, search } = new URL(config.baseUrl);
    const basePath = pathname.replace(/\/+$/, '');
    this.name = config.name;
    this.pool = new UpstreamPool(origin);
    this.quirks = config.quirks ?? {};
    this.rules = fieldRulesOf(this.quirks.accepts);
    this.headers = new RequestHeaders(config);
    this.limits = { maxAnswerSize: options.maxAnswerSize, redact: redactor(config) };
    // A query, such as Azure's api-version, belongs to every request.
    this.chatPath = `${basePath}/chat/completions${search}`;
    this.modelsPath = `${basePath}/models${search}`;
  }

  async complete(call: ProviderCall): Promise<ChatCompletion> {
    const { text } = await readResponse(this.pool, this.chatRequest(call, false), this.limits);
    const completion = parseCompletion(text, {
      upstreamModel: call.upstreamModel,
      redact: this.limits.redact,
      now: Date.now(),
    });
    return usesFunctions(call.request) ? toFunctionCalls(completion) : completion;
  }

  async stream(call: ProviderCall): Promise<ChunkStream> {
    const stream = new UpstreamChunkStream(this.pool, this.chatRequest(call, true), this.limits, {
      upstreamModel: call.upstreamModel,
      redact: this.limits.redact,
      now: Date.now(),
      expectedChoices: choiceCount(call.request),
    });
    const opened = await stream.open();
    return usesFunctions(call.request) ? toFunctionCallStream(opened) : opened;
  }

  /**
   * GET {baseUrl}/models.
   *
   * @throws GatewayError as for a completion; an abort rejects with the signal's reason
   */
  override async listModels(signal: AbortSignal, requestId = 'list-models'): Promise<ListedModel[]> {
    const request: UpstreamRequest = {
      method: 'GET',
      path: this.modelsPath,
      headers: this.headers.build(false, requestId, {}),
      body: null,
      timeouts: listTimeouts(this.options),
      signal,
    };
    const { text } = await readResponse(this.pool, request, this.limits);
    return mapModelList(parseAnswer(text));
  }

  override async close(): Promise<void> {
    await this.pool.close();
  }

  private chatRequest(call: ProviderCall, stream: boolean): UpstreamRequest {
    const request = this.rules?.takesFunctions === false ? inTools(call.request) : call.request;
    const body = mapRequest(request, call.upstreamModel, stream, this.quirks);
    const source = call.request[SOURCE];
    if (source?.refusal !== undefined) throw source.refusal;
    const fitted = fitRequest(body, this.rules);
    const dropped = source === undefined ? fitted.dropped : [...source.dropped, ...fitted.dropped];
    const [first] = dropped;
    if (first !== undefined && (source?.body ?? call.request)['strict_params'] === true)
      throw unsupportedParameter(first);
    // What was left out of the history came from a provider of another format, where the client speaks one.
    const history = source === undefined ? fitted.droppedFromHistory : [];
    if (first !== undefined || history.length > 0) call.onDroppedParams?.([...dropped, ...history]);
    return {
      method: 'POST',
      path: this.chatPath,
      headers: this.headers.build(
        stream,
        call.requestId,
        source === undefined ? call.headers : tracingHeaders(call.headers),
      ),
      body: Buffer.from(printExact(body)),
      timeouts: stream ? call.timeouts : plainTimeouts(call.timeouts),
      signal: call.signal,
    };
  }
}

/** Histories may hold the deprecated form although the request itself does not. */
function inTools(request: ChatRequest): ChatRequest {
  const isLegacy = ({ role, function_call: call }: ChatMessage): boolean => role === 'function' || call != null;
  return request['functions'] != null || request.messages.some(isLegacy) ? withTools(request) : request;
}

/** Of the headers of a client that speaks another format. */
function tracingHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('trace')));
}
