import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3GenerateResult,
  SharedV3Warning,
} from '@ai-sdk/provider';
import type { ListedModel } from '../../wire/openai-chat/map-model-list.js';
import type { ChunkStream } from '../../operations/chat/preserialized-chunk.js';
import type { ChatCompletion } from '../../operations/chat/chat-completion.js';
import type { ProviderConfig } from '../../config/gateway-config.js';
import { notFound } from '../../errors/gateway-error.js';
import type { ResponseLimits } from '../transport/response-text.js';
import { redactor } from '../../wire/errors/redact.js';
import {
  Provider,
  choiceCount,
  listTimeouts,
  type OperationPorts,
  plainTimeouts,
  ProviderCall,
  ProviderOptions,
} from '../provider.js';
import { ChoiceStream } from './choice-stream.js';
import { Dialect, dialectOf } from './dialect.js';
import { toFunctionCalls, toFunctionCallStream, usesFunctions } from '../../wire/openai-chat/legacy-functions.js';
import { unsupportedParameter } from '../../wire/openai-chat/unsupported-parameter.js';
import { droppedByPackage, unsupportedToolChoice } from './dropped-params.js';
import { LinkedAbort } from '../../runtime/linked-abort.js';
import { listModels } from './list-models.js';
import { MergedChoices, OpenChoice } from './merged-choices.js';
import type { ModelFactory } from '../definitions/definition.js';
import { loadPackage } from './native-format.js';
import { toCallOptions } from './to-call-options.js';
import { ChoiceChunks, StreamHead } from './to-chunks.js';
import { toCompletion } from './to-completion.js';
import { toGatewayError } from './to-gateway-error.js';
import { UpstreamFetch } from '../transport/upstream-fetch.js';

/** The client's headers that mean something to a provider of this kind. */
const PASSED_HEADERS = ['traceparent', 'tracestate', 'x-client-request-id'] as const;
/** What becomes part of an address at the provider: no dots that climb, no query. */
const MODEL_ID = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w.:/@+-]{1,512}$/;

/** One request to the provider, prepared. */
interface PreparedCall {
  readonly model: LanguageModelV3;
  readonly dialect: Dialect;
  readonly options: LanguageModelV3CallOptions;
  /** Names that the mapping left out; the package may leave out more. */
  readonly dropped: readonly string[];
}

/**
 * A provider with a wire format of its own, through its package of the AI SDK. The packages translate, sign and decode;
 * connections, times, caps and refusals are the gateway's own, as for every other provider, and so are retries.
 */
export class AiSdkProvider extends Provider {
  readonly name: string;
  readonly operations: OperationPorts = {
    chat: {
      // Providers respond with one choice per call.
      callsOf: choiceCount,
      invoke: (call) => this.complete(call),
      open: (call) => this.stream(call),
    },
  };
  private readonly limits: ResponseLimits;
  private readonly upstream: UpstreamFetch;
  private factory: Promise<ModelFactory> | undefined;

  constructor(
    private readonly type: string,
    private readonly config: ProviderConfig,
    private readonly options: ProviderOptions,
  ) {
    super();
    this.name = config.name;
    this.limits = { maxAnswerSize: options.maxAnswerSize, redact: redactor(config) };
    this.upstream = new UpstreamFetch(this.limits, config.headers['user-agent']);
  }

  async complete(call: ProviderCall): Promise<ChatCompletion> {
    const prepared = await this.prepare(call);
    const requests = requestsOf(call);
    try {
      const results = await Promise.all(
        requests.map((request, index) => this.generate(prepared, call, request, index)),
      );
      this.report(call, prepared, results[0]?.warnings ?? []);
      const completion = toCompletion(results, { upstreamModel: call.upstreamModel, now: Date.now() });
      return usesFunctions(call.request) ? toFunctionCalls(completion) : completion;
    } finally {
      for (const request of requests) request.abort();
    }
  }

  async stream(call: ProviderCall): Promise<ChunkStream> {
    const prepared = await this.prepare(call);
    const head = new StreamHead(call.upstreamModel, Date.now());
    const requests = requestsOf(call);
    try {
      const opened = await Promise.all(
        requests.map((request, index) => this.openChoice(prepared, call, request, index, head)),
      );
      this.report(call, prepared, opened[0]?.choice.chunks.warnings ?? []);
      const chunks = new MergedChoices(opened, head, (error, request) => this.failure(error, request));
      return usesFunctions(call.request) ? toFunctionCallStream(chunks) : chunks;
    } catch (error) {
      for (const request of requests) request.abort();
      throw error;
    }
  }

  /** What the provider's own list has, for the types that have one. */
  override async listModels(signal: AbortSignal): Promise<readonly ListedModel[]> {
    const request = new LinkedAbort(signal);
    const timeouts = listTimeouts(this.options);
    this.upstream.open(request.signal, { timeouts, requestId: 'list-models', stream: false });
    try {
      return await listModels(this.type, this.config, this.upstream.fetch, request.signal);
    } catch (error) {
      throw this.failure(error, request);
    } finally {
      request.abort();
    }
  }

  override async close(): Promise<void> {
    await this.upstream.close();
  }

  private async prepare(call: ProviderCall): Promise<PreparedCall> {
    call.signal.throwIfAborted();
    const { request, upstreamModel } = call;
    if (!MODEL_ID.test(upstreamModel)) {
      throw notFound('The model does not exist at its provider.', 'model_not_found', 'model');
    }
    const dialect = dialectOf(this.type, upstreamModel);
    const { options, dropped } = toCallOptions(request, dialect, upstreamModel);
    const isStrict = request['strict_params'] === true;
    const [first] = dropped;
    if (isStrict && first !== undefined) throw unsupportedParameter(first);
    const model = await this.modelOf(upstreamModel);
    const prepared = { model, dialect, options, dropped };
    const { toolChoice } = options;
    const isForced = toolChoice?.type === 'required' || toolChoice?.type === 'tool';
    if (isStrict || isForced) await this.assertTaken(prepared, isStrict);
    return prepared;
  }

  private async modelOf(modelId: string): Promise<LanguageModelV3> {
    try {
      this.factory ??= loadPackage(this.type, this.config, this.upstream.fetch);
      return await (
        await this.factory
      )(modelId);
    } catch (error) {
      this.factory = undefined;
      throw toGatewayError(error, this.limits.redact, Date.now());
    }
  }

  /**
   * A package reports what it leaves out only after the provider has responded. So it is called with an empty response that never
   * touches the network.
   *
   * @param isStrict whether nothing at all may be left out, as opposed to a demand for a tool call
   * @throws GatewayError 400 `unsupported_parameter`
   */
  private async assertTaken({ model, options }: PreparedCall, isStrict: boolean): Promise<void> {
    const request = new LinkedAbort(new AbortController().signal);
    this.upstream.rehearse(request.signal);
    try {
      const { stream } = await model.doStream({ ...options, abortSignal: request.signal });
      const reader = stream.getReader();
      const { value } = await reader.read();
      await reader.cancel();
      const dropped = value?.type === 'stream-start' ? droppedByPackage(value.warnings) : [];
      const [first] = dropped;
      if (isStrict && first !== undefined) throw unsupportedParameter(first);
      if (dropped.some((name) => name === 'tool_choice' || name === 'tools')) throw unsupportedToolChoice();
    } catch (error) {
      throw toGatewayError(error, this.limits.redact, Date.now());
    }
  }

  private async generate(
    prepared: PreparedCall,
    call: ProviderCall,
    request: LinkedAbort,
    index: number,
  ): Promise<LanguageModelV3GenerateResult> {
    const { timeouts, requestId } = call;
    this.upstream.open(request.signal, { timeouts: plainTimeouts(timeouts), requestId, stream: false });
    try {
      return await request.race(prepared.model.doGenerate(this.optionsOf(prepared, call, request, index)));
    } catch (error) {
      throw this.failure(error, request);
    }
  }

  /** Waits for the first chunk, so that a refusal can still become a real HTTP status. */
  private async openChoice(
    prepared: PreparedCall,
    call: ProviderCall,
    request: LinkedAbort,
    index: number,
    head: StreamHead,
  ): Promise<OpenChoice> {
    const { timeouts, requestId } = call;
    this.upstream.open(request.signal, { timeouts, requestId, stream: true });
    try {
      const { stream } = await request.race(prepared.model.doStream(this.optionsOf(prepared, call, request, index)));
      let isFirst = true;
      const chunks = new ChoiceChunks(index, head, this.limits.redact);
      const choice = new ChoiceStream(stream, chunks, ({ type }) => {
        if (!isFirst || type === 'stream-start') return;
        isFirst = false;
        this.upstream.firstEventCame(request.signal);
      });
      const first = await request.race(choice.next());
      // As long as the client has got nothing, another deployment may still do better.
      choice.throwIfFailed();
      // A stream without a finish has thrown, so there is something at least.
      return { choice, request, first: first ?? [] };
    } catch (error) {
      throw this.failure(error, request);
    }
  }

  private optionsOf(
    { options, dialect }: PreparedCall,
    call: ProviderCall,
    request: LinkedAbort,
    index: number,
  ): LanguageModelV3CallOptions {
    return {
      ...options,
      // One seed for all choices would make them all the same.
      seed: options.seed === undefined ? undefined : options.seed + index,
      abortSignal: request.signal,
      headers: this.headersOf(call, dialect),
    };
  }

  /** The operator's own headers win over what a client sent. */
  private headersOf({ headers }: ProviderCall, dialect: Dialect): Record<string, string> {
    const passed: Record<string, string> = {};
    const names = dialect.messagesApi ? [...PASSED_HEADERS, 'anthropic-beta'] : PASSED_HEADERS;
    for (const name of names) {
      const value = headers[name];
      if (value !== undefined && this.config.headers[name] === undefined) passed[name] = value;
    }
    return passed;
  }

  private failure(error: unknown, { signal }: LinkedAbort): unknown {
    if (signal.aborted) return signal.reason;
    return toGatewayError(this.upstream.failureOf(signal) ?? error, this.limits.redact, Date.now());
  }

  private report(
    { onDroppedParams }: ProviderCall,
    { dropped }: PreparedCall,
    warnings: readonly SharedV3Warning[],
  ): void {
    const names = [...new Set([...dropped, ...droppedByPackage(warnings)])];
    if (names.length > 0) onDroppedParams?.(names);
  }
}

/** Providers respond with one choice per call, so `n` is the number of calls. */
function requestsOf({ request, signal }: ProviderCall): LinkedAbort[] {
  return Array.from({ length: choiceCount(request) }, () => new LinkedAbort(signal));
}
