import type { ClientFormat } from '../runtime/wire-name.js';
import type { JsonObject } from '../runtime/json-value.js';
import type { TokenCount } from '../runtime/token-count.js';
import type { BilledUsage } from './billed-tokens.js';
import type { ChunkOf, OperationName, RequestOf, ResultOf } from './operation-types.js';

/** The facts beside the request on which the size of an attempt depends. */
export interface EstimateTarget {
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  /** Most tokens of a response, where the configuration says it. */
  readonly maxOutputTokens: number | undefined;
  /** Upstream calls that the provider makes of the request, each of which pays for the input. */
  readonly calls: number;
}

/** The estimated size of a request before it is sent. It is made only if something is limited, and for attempts without usage. */
export interface Estimate {
  /** Reserved of tokens a minute, and corrected when the call has ended. */
  likelyTokens(target: Omit<EstimateTarget, 'upstreamModel'>): TokenCount;
  /** The upper bound for one attempt: reserved in budgets, and recorded where an attempt ended early. */
  most(target: EstimateTarget): BilledUsage;
}

/** How much of a response is kept: nothing, its id, model and finish reasons, or these and its content. */
export type RecordingDetail = 'nothing' | 'outline' | 'content';

/** Values as OpenTelemetry takes them. */
export type SpanAttributes = Record<string, string | number | boolean | string[]>;

/** A response as the request log keeps it. */
export interface RecordedResponse {
  readonly id: string | undefined;
  /** The model that the provider says it ran. */
  readonly model: string | undefined;
  /** Further members of the entry, such as `choices`. Left out where a key's log leaves out responses. */
  readonly content: Readonly<JsonObject>;
  /** Whether the response was longer than what is kept. */
  readonly isCut: boolean;
}

/** Follows the response of one call, whichever attempt it comes from. */
export interface Collector<Name extends OperationName> {
  /** Usage as the provider reported it; undefined where it did not. */
  readonly usage: unknown;
  /** The billed units of that usage; undefined if the provider reported no readable usage. */
  readonly billed: BilledUsage | undefined;
  /** The service tier that the provider reported, by its own name. */
  readonly serviceTier?: string | undefined;
  /** Output tokens of what was received, estimated; a provider may have sent more than the request asked for. */
  readonly receivedTokens: number;
  /** Undefined where nothing is recorded or nothing came. */
  readonly recorded: RecordedResponse | undefined;
  /** Takes a whole response. */
  completed(result: ResultOf<Name>): void;
  /** Takes a group of chunks. @returns those of it that the client gets; none where it is empty */
  streamed(group: readonly ChunkOf<Name>[]): readonly ChunkOf<Name>[];
  /**
   * Another deployment goes on with a stream that broke; usage is that of this deployment from now on.
   *
   * @param request what it was asked
   * @param beginsAgain whether it writes what was sent once more
   */
  goesOn?(request: RequestOf<Name>, beginsAgain: boolean): void;
  /** What a whole response without reported usage bills, estimated. */
  estimate(): Promise<BilledUsage> | BilledUsage;
  /** The span attributes of the response by the GenAI conventions, without content. */
  attributes(): SpanAttributes;
  /** Request and response as the conventions write them down. */
  contentAttributes(): SpanAttributes;
}

/** A deployment by the names that its provider knows. */
export interface PreferredPlace {
  readonly provider: string;
  /** Null where only the provider is known. */
  readonly upstreamModel: string | null;
}

const NO_HEADERS: ReadonlySet<string> = new Set();

/**
 * One kind of call, such as chat or embeddings: everything that the engine and those who count know of its requests and
 * responses. How a provider serves it is an `OperationPort` of that provider. Operations have no state.
 */
export abstract class Operation<Name extends OperationName> {
  abstract readonly name: Name;

  /** Fields that the gateway itself reads: no key needs the scope `provider_options` for them, and no other spelling passes. */
  abstract readonly knownFields: ReadonlySet<string>;

  /** The known fields of one request, where they depend on its format. */
  knownFieldsOf(_request: RequestOf<Name>): ReadonlySet<string> {
    return this.knownFields;
  }

  abstract estimate(request: RequestOf<Name>): Estimate;

  abstract collector(request: RequestOf<Name>, detail: RecordingDetail): Collector<Name>;

  /** The request's fields by the client's names. */
  abstract fieldsOf(request: RequestOf<Name>): Readonly<JsonObject>;

  /** The request without some of its fields, by the client's names. */
  abstract withoutFields(request: RequestOf<Name>, names: readonly string[]): RequestOf<Name>;

  /** Headers without which the provider would refuse parts of the request, so that any key may send them; names in lower case. */
  ownHeadersOf(_request: RequestOf<Name>): ReadonlySet<string> {
    return NO_HEADERS;
  }

  /** Whether the request asks for several responses, which some providers give one a call. */
  asksForSeveral(_request: RequestOf<Name>): boolean {
    return false;
  }

  /**
   * The request without what no price covers, for a key with a budget.
   *
   * @returns also the names of what was left out
   * @throws GatewayError 403 where the request is made for it
   */
  withoutUnpriced(request: RequestOf<Name>): {
    readonly request: RequestOf<Name>;
    readonly dropped: readonly string[];
  } {
    return { request, dropped: [] };
  }

  /** The client's own name of what requests share in a provider's cache; those with the same name go to the same deployment. */
  cacheKeyOf(_request: RequestOf<Name>): string | undefined {
    return undefined;
  }

  /** A text of bounded length that all requests of one conversation share; undefined if it is not a conversation. */
  conversationOf(_request: RequestOf<Name>): string | undefined {
    return undefined;
  }

  /** Where a part of the request was made that no other deployment can read; it is tried before others of the same model. */
  preferredPlace(_request: RequestOf<Name>): PreferredPlace | undefined {
    return undefined;
  }

  /** The wire format of the client's request, for its usage record. */
  wireFormatOf(_request: RequestOf<Name>): string {
    return 'openai-api' satisfies ClientFormat;
  }

  /** The client's id of its end user. */
  endUserOf(request: RequestOf<Name>): string | null {
    const { user } = this.fieldsOf(request);
    return typeof user === 'string' ? user : null;
  }

  /** Written to the usage record. */
  metadataOf(_request: RequestOf<Name>): JsonObject | null {
    return null;
  }

  /** The request as the request log keeps it, as JSON can print it. */
  loggedRequest(request: RequestOf<Name>): unknown {
    return request;
  }

  /** The span attributes of a request by the GenAI conventions, without content. */
  requestAttributes(_request: RequestOf<Name>): SpanAttributes {
    return {};
  }
}

/** Any operation, for those who only pass its requests back to it. */
export type AnyOperation = Operation<OperationName>;
