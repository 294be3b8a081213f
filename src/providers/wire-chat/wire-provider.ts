import type { ProviderConfig } from '../../config/gateway-config.js';
import { GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import { SOURCE } from '../../operations/chat/canonical/sources.js';
import type { ChatCompletion, ChatRequest } from '../../operations/chat/chat-completion.js';
import type { ChunkStream } from '../../operations/chat/preserialized-chunk.js';
import { isObject } from '../../runtime/json-value.js';
import { readTokenCount } from '../../runtime/token-count.js';
import { redactor, type Redact } from '../../wire/errors/redact.js';
import { toFunctionCalls, toFunctionCallStream, usesFunctions } from '../../wire/openai-chat/legacy-functions.js';
import type { ListedModel } from '../../wire/openai-chat/map-model-list.js';
import { readRequest } from '../../wire/openai-chat/read-request.js';
import { unsupportedParameter } from '../../wire/openai-chat/unsupported-parameter.js';
import { writeResult } from '../../wire/openai-chat/write-result.js';
import { parseWithExactArguments } from '../../wire/exact-arguments.js';
import type { ProviderWire, Written } from '../../wire/wire-format.js';
import { providerWireOf } from '../../wire/wire-formats.js';
import { authorizerOf } from '../credentials/authorize.js';
import type { ChatFormat } from '../definitions/types/chat-format.js';
import type { ProviderDefinition } from '../definitions/definition.js';
import { assertModelId } from '../other-format.js';
import {
  choiceCount,
  listTimeouts,
  type OperationPorts,
  Provider,
  type ProviderCall,
  type ProviderOptions,
} from '../provider.js';
import { JsonClient } from '../transport/json-call.js';
import { RefusedFields, untilTaken } from '../refused-fields.js';
import { readModelList } from './list-models.js';
import { areOver, asBilled, callInGroups, isBilled } from '../transport/call-in-groups.js';
import { invalidResponse } from './invalid-response.js';
import { MergedStreams } from './merged-streams.js';
import { sumUsage } from './sum-usage.js';
import { WireChunkStream } from './wire-chunk-stream.js';
import { withoutFields } from './without-fields.js';
import { withoutThinking } from './without-thinking.js';
import { Prepared, contextOf, hiddenOf, isStrict, nativeBody, unwrapOf, withSeed } from './prepared-call.js';

/** A provider's refusal of a thinking block that it did not sign, or no longer knows. */
const SIGNATURE_REFUSED = /signature|thinking.{0,40}(?:block|cannot be modified|invalid)/i;

/** Chat at a provider with its own wire format: Anthropic's, Gemini's, Bedrock's, Cohere's. */
export class WireProvider extends Provider {
  readonly name: string;
  readonly operations: OperationPorts = {
    chat: {
      callsOf: (request) => this.callsOf(request),
      invoke: (call) => this.complete(call),
      open: (call) => this.stream(call),
    },
  };
  private readonly client: JsonClient;
  private readonly redact: Redact;
  private readonly refused = new RefusedFields();

  constructor(
    private readonly definition: ProviderDefinition & { readonly chat: ChatFormat },
    private readonly config: ProviderConfig,
    private readonly options: ProviderOptions,
  ) {
    super();
    this.name = config.name;
    this.redact = redactor(config);
    this.client = new JsonClient(config, options.maxResponseBytes, authorizerOf(definition.credentials, config));
  }

  /** Most providers respond with one choice per call. */
  private callsOf(request: ChatRequest): number {
    return this.definition.chat.makesChoices === true ? 1 : choiceCount(request);
  }

  async complete(call: ProviderCall): Promise<ChatCompletion> {
    const completion = await this.send(call, false, (ready) => this.invokeAll(ready, call));
    return usesFunctions(call.request) ? toFunctionCalls(completion) : completion;
  }

  async stream(call: ProviderCall): Promise<ChunkStream> {
    const opened = await this.send(call, true, (ready) => this.openAll(ready, call));
    return usesFunctions(call.request) ? toFunctionCallStream(opened) : opened;
  }

  /** The models of the provider's own list; empty if it has none. */
  override async listModels(signal: AbortSignal): Promise<readonly ListedModel[]> {
    const { modelList } = this.definition.chat;
    if (modelList === undefined) return [];
    const { headers } = modelList;
    const context = {
      timeouts: { ...listTimeouts(this.options), total: Infinity },
      requestId: 'list-models',
      headers: {},
      signal,
    };
    const path = modelList.url(this.config.baseUrl);
    const { text } = await this.client.call(
      { method: 'GET', path, headers: headers(this.config.apiKey ?? '') },
      context,
    );
    return readModelList(text);
  }

  override async countTokens(call: ProviderCall): Promise<number | undefined> {
    const counting = this.definition.chat.countTokens;
    if (counting === undefined) return undefined;
    const prepared = this.prepare({ ...call, onDroppedParams: () => undefined }, false);
    const endpoint = counting.endpoint(prepared.target);
    if (endpoint === undefined) return undefined;
    const body = counting.fitBody(prepared.written.body, prepared.target);
    const headers = { ...endpoint.headers, ...prepared.written.headers };
    const { text } = await this.client.call({ path: endpoint.path, body, headers }, contextOf(call, prepared));
    const counted: unknown = JSON.parse(text);
    return isObject(counted) ? readTokenCount(counting.read(counted)) : undefined;
  }

  override async close(): Promise<void> {
    await this.client.close();
  }

  /** A translated request is sent again without what the model refuses of it; one in the provider's own format is the client's. */
  private send<Result>(
    call: ProviderCall,
    isStream: boolean,
    send: (prepared: Prepared) => Promise<Result>,
  ): Promise<Result> {
    const first = this.prepare(call, isStream);
    if (first.isNative) return this.withSignatureRetry(first, call, send);
    let next: Prepared | undefined = first;
    return untilTaken(this.refused, call.upstreamModel, () => {
      const prepared = next ?? this.prepare(call, isStream);
      next = undefined;
      return this.withSignatureRetry(prepared, call, send);
    });
  }

  private prepare(call: ProviderCall, isStream: boolean): Prepared {
    call.signal.throwIfAborted();
    const { request, upstreamModel } = call;
    assertModelId(upstreamModel);
    const { chat: format } = this.definition;
    const source = request[SOURCE];
    const client = source?.wire ?? 'openai-chat';
    const wire = providerWireOf(typeof format.wire === 'string' ? format.wire : format.wire(upstreamModel, client));
    const isNative = source?.wire === wire.name && source.isChanged !== true;
    const canonical = (): CanonicalRequest => ({ ...(source?.canonical ?? readRequest(request)), stream: isStream });
    const written = isNative ? nativeBody(wire, source.body, upstreamModel) : this.translate(wire, canonical(), call);
    const target = { ...this.config, upstreamModel, isStream, wire: wire.name, headers: isNative ? call.headers : {} };
    return {
      wire,
      format,
      target,
      endpoint: format.endpoint(target),
      written,
      context: {
        upstreamModel,
        redact: this.redact,
        now: Date.now(),
        ...(written.toolNames !== undefined && { toolNames: written.toolNames }),
      },
      isNative,
      canonical,
    };
  }

  /** @throws GatewayError 400 with `strict_params: true` where something is left out */
  private translate(wire: ProviderWire, canonical: CanonicalRequest, call: ProviderCall): Written {
    const { request, upstreamModel, onDroppedParams } = call;
    const client = request[SOURCE]?.wire ?? 'openai-chat';
    const traits = this.definition.chat.traits?.(upstreamModel) ?? {};
    const taken = withoutFields(canonical, this.refused.of(upstreamModel));
    const written = wire.writeRequest(taken.request, { upstreamModel, client, traits });
    const dropped = [...written.dropped, ...taken.dropped];
    const [first] = dropped;
    if (first === undefined) return written;
    if (isStrict(request)) throw unsupportedParameter(first);
    onDroppedParams?.(dropped);
    return written;
  }

  /** A signature that the provider refuses is left out with its thinking, and the request is sent once more. */
  private async withSignatureRetry<Result>(
    prepared: Prepared,
    call: ProviderCall,
    send: (prepared: Prepared) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await send(prepared);
    } catch (error) {
      const isRefused =
        error instanceof GatewayError &&
        error.status === 400 &&
        !error.rejectedByGateway &&
        SIGNATURE_REFUSED.test(error.message);
      const stripped = isRefused ? withoutThinking(prepared.canonical()) : undefined;
      if (stripped === undefined) throw error;
      return send({ ...prepared, isNative: false, written: this.translate(prepared.wire, stripped, call) });
    }
  }

  private async invokeAll(prepared: Prepared, call: ProviderCall): Promise<ChatCompletion> {
    const count = this.callsOf(call.request);
    const choices = Array.from({ length: count }, (_, index) => index);
    const completions = await callInGroups(choices, count, call.signal, (index, signal) =>
      this.invoke(prepared, count === 1 ? call : { ...call, signal }, index),
    );
    const [first] = completions;
    if (first === undefined || completions.length === 1) return first as ChatCompletion;
    const usage = sumUsage(completions.map((completion) => completion.usage));
    const { [SOURCE]: _source, usage: _usage, ...rest } = first;
    const all = completions.flatMap((completion) => completion.choices).map((choice, index) => ({ ...choice, index }));
    return { ...rest, choices: all, ...(usage !== undefined && { usage }) };
  }

  private async invoke(prepared: Prepared, call: ProviderCall, index: number): Promise<ChatCompletion> {
    const { wire, context } = prepared;
    const { text } = await this.client.call(this.callOf(prepared, index), contextOf(call, prepared));
    let body: unknown;
    try {
      body = parseWithExactArguments(text);
    } catch (cause) {
      throw invalidResponse(text, cause);
    }
    const canonical = wire.readResponse(body, context);
    const completion = writeResult(canonical, { model: context.upstreamModel, now: context.now });
    return { ...completion, [SOURCE]: { wire: wire.name, text, canonical } };
  }

  private async openAll(prepared: Prepared, call: ProviderCall): Promise<ChunkStream> {
    const count = this.callsOf(call.request);
    const opening = Array.from({ length: count }, (_, index) => this.open(prepared, call, index));
    try {
      const [first, ...others] = await Promise.all(opening);
      if (first === undefined) throw new RangeError('a request has at least one choice');
      return others.length === 0 ? first : new MergedStreams([first, ...others]);
    } catch (error) {
      const isOver = count === 1 || (await areOver(opening));
      for (const stream of opening) void stream.then((opened) => opened.return()).catch(() => undefined);
      throw isOver && !(await Promise.allSettled(opening)).some(isBilled) ? error : asBilled(error);
    }
  }

  private open(prepared: Prepared, call: ProviderCall, index: number): Promise<WireChunkStream> {
    const { wire, context, endpoint } = prepared;
    const options = {
      wire,
      context,
      framing: endpoint.framing ?? 'sse',
      unwrap: unwrapOf(prepared),
      isHidden: hiddenOf(prepared, call),
      onSkippedEvent: call.onSkippedEvent,
    } as const;
    return this.client.openWith(this.callOf(prepared, index), contextOf(call, prepared), (pool, request, limits) => {
      return new WireChunkStream(pool, request, limits, options);
    });
  }

  private callOf({ endpoint, written, format, target }: Prepared, index: number): Parameters<JsonClient['call']>[0] {
    const body = format.fitBody?.(written.body, target.upstreamModel, target) ?? written.body;
    return { path: endpoint.path, body: withSeed(body, index), headers: { ...endpoint.headers, ...written.headers } };
  }
}
