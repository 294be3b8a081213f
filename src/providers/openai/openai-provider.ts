import type { JsonObject } from '../../runtime/json-value.js';
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
import type { FieldRules } from '../definitions/types/field-rules.js';
import { fieldRulesOf } from '../definitions/registry.js';
import type { Authorize } from '../credentials/authorize.js';
import { raced, untilAuthorized, withoutCredentials, type Authorized } from '../credentials/until-authorized.js';
import { readResponse, ResponseLimits } from '../transport/response-text.js';
import { fitRequest } from '../../wire/openai-chat/fit-request.js';
import { type ListedModel, mapModelList } from '../../wire/openai-chat/map-model-list.js';
import { mapRequest } from '../../wire/openai-chat/map-request.js';
import { parseResponse, parseCompletion } from '../../wire/openai-chat/parse-completion.js';
import { withSystemFirst } from '../../wire/openai-chat/system-first.js';
import { type Redact, redactor } from '../../wire/errors/redact.js';
import { RequestHeaders } from '../transport/request-headers.js';
import { passedHeaders } from '../other-format.js';
import { RefusedFields, untilTaken } from '../refused-fields.js';
import { responseHeadersReader } from '../response-headers.js';
import { UpstreamChunkStream } from './upstream-chunk-stream.js';
import type { UpstreamRequest } from '../transport/upstream-request.js';
import { UpstreamPool } from '../transport/upstream-pool.js';

/** Where OpenAI's format is called, and how, where that is not as at OpenAI. */
export interface OpenAiTarget {
  /** False where the provider has no list of what can be called. */
  readonly hasModelList: boolean;
  /** Prefixes of the headers of its responses that clients of the same format get. Default: none. */
  readonly responseHeaders?: readonly string[];
  /** The URL of a path, by the model's id at the provider. Default: below the base URL. */
  readonly url?: (path: string, upstreamModel: string) => string;
  /** Default: the API key as a bearer token. */
  readonly authorize?: Authorize;
}

/**
 * OpenAI and every server that speaks its protocol (vLLM, Ollama, llama.cpp, Groq, Mistral, DeepSeek, OpenRouter, ...):
 * bodies pass through with all their fields, and the gateway corrects known deviations of such servers.
 */
export class OpenAiProvider extends Provider {
  readonly name: string;
  readonly operations: OperationPorts = {
    chat: { invoke: (call) => this.complete(call), open: (call) => this.stream(call) },
  };
  private readonly pool: UpstreamPool;
  private readonly headers: RequestHeaders;
  private readonly limits: ResponseLimits;
  private readonly origin: string;
  private readonly chatPath: string;
  private readonly modelsPath: string;
  private readonly quirks: Quirks;
  private readonly rules: FieldRules | undefined;
  private readonly refused = new RefusedFields();

  constructor(
    config: ProviderConfig,
    private readonly options: ProviderOptions,
    private readonly target: OpenAiTarget = { hasModelList: true },
  ) {
    super();
    const { origin, pathname, search } = new URL(config.baseUrl);
    const basePath = pathname.replace(/\/+$/, '');
    this.name = config.name;
    this.origin = origin;
    this.pool = new UpstreamPool(origin);
    this.quirks = config.quirks ?? {};
    this.rules = fieldRulesOf(this.quirks.accepts);
    this.headers = new RequestHeaders(target.authorize === undefined ? config : { ...config, apiKey: undefined });
    this.limits = { maxResponseBytes: options.maxResponseBytes, redact: redactor(config) };
    // A query, such as Azure's api-version, belongs to every request.
    this.chatPath = `${basePath}/chat/completions${search}`;
    this.modelsPath = `${basePath}/models${search}`;
  }

  complete(call: ProviderCall): Promise<ChatCompletion> {
    return this.untilTaken(call, () => this.completeOnce(call));
  }

  stream(call: ProviderCall): Promise<ChunkStream> {
    return this.untilTaken(call, () => this.streamOnce(call));
  }

  private completeOnce(call: ProviderCall): Promise<ChatCompletion> {
    return this.send(call, false, async (request, limits) => {
      const { text } = await readResponse(this.pool, request, limits);
      const completion = parseCompletion(text, {
        upstreamModel: call.upstreamModel,
        redact: limits.redact,
        now: Date.now(),
      });
      return usesFunctions(call.request) ? toFunctionCalls(completion) : completion;
    });
  }

  private streamOnce(call: ProviderCall): Promise<ChunkStream> {
    return this.send(call, true, async (request, limits) => {
      const stream = new UpstreamChunkStream(this.pool, request, limits, {
        upstreamModel: call.upstreamModel,
        redact: limits.redact,
        now: Date.now(),
        expectedChoices: choiceCount(call.request),
        onSkippedEvent: call.onSkippedEvent,
      });
      const opened = await stream.open();
      return usesFunctions(call.request) ? toFunctionCallStream(opened) : opened;
    });
  }

  private async send<Result>(
    call: ProviderCall,
    isStreamed: boolean,
    by: (request: UpstreamRequest, limits: ResponseLimits) => Promise<Result>,
  ): Promise<Result> {
    const request = this.chatRequest(call, isStreamed);
    const { authorize } = this.target;
    if (authorize === undefined) return by(request, this.limits);
    return untilAuthorized(
      authorize,
      request.signal,
      () => this.authorized(request, authorize),
      ({ request: authorized, redact }) => by(authorized, { ...this.limits, redact }),
    );
  }

  /**
   * GET {baseUrl}/models.
   *
   * @throws GatewayError as for a completion; an abort rejects with the signal's reason
   */
  override async listModels(signal: AbortSignal, requestId = 'list-models'): Promise<ListedModel[]> {
    if (!this.target.hasModelList) return [];
    const request: UpstreamRequest = {
      method: 'GET',
      path: this.modelsPath,
      headers: this.headers.build(false, requestId, {}),
      body: null,
      timeouts: listTimeouts(this.options),
      signal,
    };
    const { text } = await readResponse(this.pool, request, this.limits);
    return mapModelList(parseResponse(text));
  }

  override async close(): Promise<void> {
    await this.pool.close();
  }

  private pathOf(upstreamModel: string): string {
    if (this.target.url === undefined) return this.chatPath;
    const { pathname, search } = new URL(this.target.url('/chat/completions', upstreamModel));
    return `${pathname}${search}`;
  }

  /** The operator's own headers replace those of the credentials. */
  private async authorized(
    request: UpstreamRequest,
    authorize: Authorize,
  ): Promise<Authorized & { readonly request: UpstreamRequest; readonly redact: Redact }> {
    const { method, path, headers, body } = request;
    const given: Record<string, string> = {};
    for (let at = 0; at + 1 < headers.length; at += 2) given[headers[at] ?? ''] = headers[at + 1] ?? '';
    const payload = Buffer.isBuffer(body) ? body : undefined;
    const adding = authorize({ method, url: `${this.origin}${path}`, headers: given, body: payload });
    const authorization = await raced(adding, request.signal);
    const missing = Object.entries(authorization).filter(([name]) => given[name] === undefined);
    return {
      authorization,
      request: { ...request, headers: [...headers, ...missing.flat()] },
      redact: withoutCredentials(authorization, this.limits.redact),
    };
  }

  private untilTaken<Result>(call: ProviderCall, send: () => Promise<Result>): Promise<Result> {
    return call.request[SOURCE] === undefined ? send() : untilTaken(this.refused, call.upstreamModel, send);
  }

  /**
   * A body that was translated from another wire format holds what its client did not write, and may be shaped for the model.
   *
   * @returns the fields that were left out because the model refuses them
   */
  private fitTranslation(body: JsonObject, upstreamModel: string): string[] {
    // Servers without the role of developers run open models.
    if (this.quirks.developerRole === false) body['messages'] = withSystemFirst(body['messages'] as ChatMessage[]);
    const fields = [...this.refused.of(upstreamModel)].filter((field) => body[field] !== undefined);
    for (const field of fields) body[field] = undefined;
    return fields;
  }

  private chatRequest(call: ProviderCall, stream: boolean): UpstreamRequest {
    const request = this.rules?.takesFunctions === false ? inTools(call.request) : call.request;
    const body = mapRequest(request, call.upstreamModel, stream, this.quirks);
    const source = call.request[SOURCE];
    if (source?.refusal !== undefined) throw source.refusal;
    const refused = source === undefined ? [] : this.fitTranslation(body, call.upstreamModel);
    const fitted = fitRequest(body, this.rules);
    const dropped = source === undefined ? fitted.dropped : [...source.dropped, ...refused, ...fitted.dropped];
    const [first] = dropped;
    if (first !== undefined && (source?.body ?? call.request)['strict_params'] === true)
      throw unsupportedParameter(first);
    // What was left out of the history came from a provider of another format, where the client speaks one.
    const history = source === undefined ? fitted.droppedFromHistory : [];
    if (first !== undefined || history.length > 0) call.onDroppedParams?.([...dropped, ...history]);
    return {
      method: 'POST',
      path: this.pathOf(call.upstreamModel),
      headers: this.headers.build(
        stream,
        call.requestId,
        source === undefined ? call.headers : passedHeaders(call.headers),
      ),
      body: Buffer.from(printExact(body)),
      timeouts: stream ? call.timeouts : plainTimeouts(call.timeouts),
      signal: call.signal,
      exchange: call.exchange,
      onHeaders: responseHeadersReader(call, source === undefined ? this.target.responseHeaders : undefined),
    };
  }
}

/** Histories may hold the deprecated form although the request itself does not. */
function inTools(request: ChatRequest): ChatRequest {
  const isLegacy = ({ role, function_call: call }: ChatMessage): boolean => role === 'function' || call != null;
  return request['functions'] != null || request.messages.some(isLegacy) ? withTools(request) : request;
}
