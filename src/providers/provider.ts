import type { IncomingHttpHeaders } from 'node:http';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import type { OperationName, OperationStream, RequestOf, ResultOf } from '../operations/operation-types.js';
import type { ListedModel } from '../wire/openai-chat/map-model-list.js';
import type { Timeouts } from '../config/gateway-config.js';
import type { BatchApi } from './batch-api/batch-api.js';
import type { Exchange } from './transport/exchange.js';
import type { TakeResponseHeaders } from './response-headers.js';

const LIST_TIMEOUT_MS = 15_000;

/** The contract of every provider over HTTP. */
export interface ProviderOptions {
  /** Cap of one response or one event, decompressed, in bytes. */
  readonly maxResponseBytes: number;
  /** Connect timeout of the model list in milliseconds; calls have their own. */
  readonly connectTimeoutMs: number;
}

/** Timeouts of a model list, which is not a completion: a slow provider is left out. */
export function listTimeouts({ connectTimeoutMs }: ProviderOptions): Omit<Timeouts, 'total'> {
  return { connect: connectTimeoutMs, firstByte: LIST_TIMEOUT_MS, idle: LIST_TIMEOUT_MS };
}

/**
 * Timeouts of a plain response, whose first byte is also its last: a provider may take as long as the whole call may take, which
 * the signal of the call limits.
 */
export function plainTimeouts({ connect }: Timeouts): Omit<Timeouts, 'total'> {
  return { connect, firstByte: Infinity, idle: Infinity };
}

/** How many choices a request asks for. */
export function choiceCount({ n }: ChatRequest): number {
  return typeof n === 'number' && n > 0 ? n : 1;
}

/** One attempt at one deployment. */
export interface ProviderCall<Request = ChatRequest> {
  /** The client's validated request, untouched. `model` is what the client sent; send `upstreamModel` instead. */
  readonly request: Request;
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  /**
   * Milliseconds each. The adapter holds connect, and firstByte and idle of streams; the caller holds total through `signal`.
   */
  readonly timeouts: Timeouts;
  /** Sent upstream as `x-request-id`, so that both logs can be joined. */
  readonly requestId: string;
  /** The client's headers that the allow-list lets through, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the client has disconnected or the total timeout is over; the call then rejects with `signal.reason`. */
  readonly signal: CancelSignal;
  /**
   * Called, before the response, with the fields of the request that the provider cannot take and therefore did not receive, by
   * OpenAI's names. Never called with `strict_params: true`, which makes the first of them a 400 `unsupported_parameter`.
   */
  readonly onDroppedParams?: (names: readonly string[]) => void;
  /** Carries the request to the provider in place of HTTP. */
  readonly exchange?: Exchange | undefined;
  /** Called when an event of a stream that is no JSON was left out. */
  readonly onSkippedEvent?: () => void;
  /** Called with all headers of each response of the provider, errors included. */
  readonly onHeaders?: (headers: IncomingHttpHeaders) => void;
  /** Called with the headers of the provider's response that its client gets, where both speak the same format. */
  readonly onResponseHeaders?: TakeResponseHeaders;
}

/** How a provider serves one operation. */
export interface OperationPort<Name extends OperationName> {
  /** How many upstream calls a request makes, each of which pays for the input. Absent is one. */
  callsOf?(request: RequestOf<Name>): number;
  /** The whole response. */
  invoke(call: ProviderCall<RequestOf<Name>>): Promise<ResultOf<Name>>;
  /** Resolves with the first chunk, so that a refusal can still become a real HTTP status. Absent where there are no streams. */
  open?(call: ProviderCall<RequestOf<Name>>): Promise<OperationStream<Name>>;
}

/** The operations that a provider has. */
export type OperationPorts = { readonly [Name in OperationName]?: OperationPort<Name> };

/**
 * Port to a model provider. Every failure is a GatewayError: the upstream's own 4xx about the request keeps its
 * status, message, param and code; everything else is `upstream_error`, `upstream_unavailable` or `upstream_timeout`
 * with `retryable` set. An abort rejects with the signal's reason.
 */
export abstract class Provider {
  /** The provider's name in the configuration, as in `x-gateway-provider`. */
  abstract readonly name: string;

  /** Those that it has not are refused before any attempt, or served by another deployment. */
  abstract readonly operations: OperationPorts;

  /** The provider's own batch API; undefined where it has none. */
  get batchApi(): BatchApi | undefined {
    return undefined;
  }

  operation<Name extends OperationName>(name: Name): OperationPort<Name> | undefined {
    return this.operations[name];
  }

  /** The models that the provider itself lists. Rejects when it does not respond; empty when it has no list. */
  listModels(_signal: AbortSignal): Promise<readonly ListedModel[]> {
    return Promise.resolve([]);
  }

  /**
   * Tokens of the prompt of a request, as the provider counts them; undefined where it does not count. Rejects as an operation does.
   */
  countTokens(_call: ProviderCall): Promise<number | undefined> {
    return Promise.resolve(undefined);
  }

  /** Closes sockets; called once at shutdown, after requests have ended. */
  async close(): Promise<void> {}
}
