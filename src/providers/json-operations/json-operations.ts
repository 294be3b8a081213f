import type { ProviderConfig } from '../../config/gateway-config.js';
import { inputsOf, type EmbeddingRequest } from '../../operations/embeddings/embedding-request.js';
import { mergeParts, type EmbeddingResult } from '../../operations/embeddings/embedding-result.js';
import type { ModerationRequest } from '../../operations/moderations/moderation-request.js';
import type { ModerationResult } from '../../operations/moderations/moderation-result.js';
import type { RerankRequest } from '../../operations/rerank/rerank-request.js';
import type { RerankResult } from '../../operations/rerank/rerank-result.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { EmbeddingWire } from '../../wire/embeddings/embedding-wire.js';
import { splitInputs } from '../../wire/embeddings/split-inputs.js';
import type { ModerationWire } from '../../wire/moderations/moderation-wire.js';
import { isIgnorable } from '../../wire/openai-chat/ignorable-params.js';
import { unsupportedParameter } from '../../wire/openai-chat/unsupported-parameter.js';
import { mergeRanks, splitDocuments } from '../../wire/rerank/merge-parts.js';
import type { RerankWire } from '../../wire/rerank/rerank-wire.js';
import { authorizerOf } from '../credentials/authorize.js';
import { LIMIT_HEADERS, OPENAI_TYPE } from '../definitions/openai.js';
import { definitionOfType } from '../definitions/registry.js';
import { assertModelId, passedHeaders } from '../other-format.js';
import { responseHeadersReader } from '../response-headers.js';
import type { OperationPorts, ProviderCall } from '../provider.js';
import { JsonClient } from '../transport/json-call.js';
import type { UpstreamResponse } from '../transport/response-text.js';
import { callInGroups } from '../transport/call-in-groups.js';
import { jsonTargetOf, type JsonTarget } from './json-target.js';

/** Upstream calls that one request makes at once where it takes several. */
const CALLS_AT_ONCE = 8;
/** The operations of one provider whose requests and responses are JSON and which have no streams. */
export class JsonOperations {
  /** The operations that the provider has. */
  readonly ports: OperationPorts;
  private readonly target: JsonTarget;
  private readonly client: JsonClient;

  /** @param maxResponseBytes most bytes of a response, decompressed */
  constructor(
    private readonly config: ProviderConfig,
    { maxResponseBytes }: { readonly maxResponseBytes: number },
  ) {
    this.client = new JsonClient(
      config,
      maxResponseBytes,
      authorizerOf(definitionOfType(config.type)?.credentials ?? 'bearer', config),
    );
    this.target = jsonTargetOf(config);
    const { embeddings, rerank, moderations } = this.target;
    this.ports = {
      ...(embeddings && { embeddings: { invoke: (call) => this.embed(embeddings(call.upstreamModel), call) } }),
      ...(rerank && { rerank: { invoke: (call) => this.rerank(rerank(call.upstreamModel), call) } }),
      ...(moderations && { moderations: { invoke: (call) => this.moderate(moderations(call.upstreamModel), call) } }),
    };
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** A vector for each input, by as many upstream calls as the provider's limits ask for. */
  private async embed(wire: EmbeddingWire, call: ProviderCall<EmbeddingRequest>): Promise<EmbeddingResult> {
    const { request, upstreamModel, signal } = call;
    reportDropped(call, wire.dropped(request));
    const groups = splitInputs(inputsOf(request), wire).map((group) => ({
      ...group,
      // All of them before the first is sent: a request that the provider cannot take costs nothing.
      written: wire.write(request, group.inputs, group.first),
    }));
    const parts = await callInGroups(groups, CALLS_AT_ONCE, signal, async ({ inputs, written }, groupSignal) =>
      wire.read(await this.post(written.path, written.body, call, groupSignal), request, inputs),
    );
    return mergeParts(parts, upstreamModel);
  }

  /** The documents by how well they fit the query. */
  private async rerank(wire: RerankWire, call: ProviderCall<RerankRequest>): Promise<RerankResult> {
    const { request, upstreamModel, signal } = call;
    reportDropped(call, wire.dropped(request));
    const groups = splitDocuments(request.documents.length, wire.maxDocuments).map((group) => ({
      group,
      written: wire.write(request, group),
    }));
    const parts = await callInGroups(groups, CALLS_AT_ONCE, signal, async ({ group, written }, groupSignal) => {
      const { text } = await this.post(written.path, written.body, call, groupSignal);
      return wire.read(text, group);
    });
    return mergeRanks(parts, request, upstreamModel);
  }

  /** The result of each input. */
  private async moderate(wire: ModerationWire, call: ProviderCall<ModerationRequest>): Promise<ModerationResult> {
    const { request, signal } = call;
    reportDropped(call, wire.dropped(request));
    const { path, body } = wire.write(request);
    const { text } = await this.post(path, body, call, signal);
    return wire.read(text, request);
  }

  private post(
    path: string,
    body: JsonObject,
    call: ProviderCall<unknown>,
    signal: CancelSignal,
  ): Promise<UpstreamResponse> {
    const { upstreamModel, timeouts, requestId, headers, exchange } = call;
    if (this.config.type !== OPENAI_TYPE) assertModelId(upstreamModel);
    const request = { path: this.target.url(path, upstreamModel), body };
    const isNative = this.config.type === OPENAI_TYPE;
    const onHeaders = responseHeadersReader(call, isNative ? LIMIT_HEADERS : undefined);
    const passed = this.passed(headers);
    return this.client.call(request, { timeouts, requestId, headers: passed, signal, onHeaders, exchange });
  }

  /** The client's headers that go to the provider. */
  private passed(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return this.config.type === OPENAI_TYPE ? headers : passedHeaders(headers);
  }
}

/** @throws GatewayError 400 with `strict_params: true` */
function reportDropped(
  { request, onDroppedParams }: ProviderCall<{ readonly [field: string]: unknown }>,
  dropped: readonly string[],
): void {
  const names = dropped.filter((name) => !isIgnorable(name, request[name]));
  const [first] = names;
  if (first === undefined) return;
  if (request['strict_params'] === true) throw unsupportedParameter(first);
  onDroppedParams?.(names);
}
