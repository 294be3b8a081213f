import type { JsonObject } from '../../../runtime/json-value.js';
import type { WireName } from '../../../runtime/wire-name.js';
import type { CloudSettings } from './connection.js';

/** The provider's own list of models. */
export interface ModelListRequest {
  /** The URL, from the base URL. */
  readonly url: (baseUrl: string) => string;
  readonly headers: (apiKey: string) => Record<string, string>;
}

/** One call of chat at a provider, as far as its address depends on it. */
export interface ChatEndpointCall {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly cloud?: CloudSettings | undefined;
  readonly upstreamModel: string;
  readonly isStream: boolean;
  /** The format that the call has: a model that two formats reach has an address for each. */
  readonly wire: WireName;
  /** Headers of a client that speaks the same format, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The address of one call of chat. */
export interface ChatEndpoint {
  /** Below the base URL, with a leading slash; a whole URL where another host serves the call. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** How the events of a stream are framed. Default `sse`. */
  readonly framing?: 'sse' | 'aws-event-stream';
}

/** One event of a stream: its name, empty where it has none, and its JSON text. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** Counts the tokens of a request as chat would send it. */
export interface TokenCounting {
  /** Undefined where it cannot count for this model. */
  readonly endpoint: (call: ChatEndpointCall) => ChatEndpoint | undefined;
  readonly fitBody: (body: JsonObject, call: ChatEndpointCall) => JsonObject;
  /** The count in a response; undefined if there is none. */
  readonly read: (body: JsonObject) => unknown;
}

/** Chat in a wire format of the provider's own. */
export interface ChatFormat {
  /** The format; by model where the provider runs models of several makers, and by the client's where a model has two. */
  readonly wire: WireName | ((upstreamModel: string, client: WireName) => WireName);
  readonly endpoint: (call: ChatEndpointCall) => ChatEndpoint;
  /** Changes a written or a client's body as the address asks, such as a model that is a part of the path. */
  readonly fitBody?: (body: JsonObject, upstreamModel: string, call: ChatEndpointCall) => JsonObject;
  /** The facts about the provider and the model that the writer of the format needs. */
  readonly traits?: (upstreamModel: string) => Readonly<Record<string, string | number | boolean | undefined>>;
  /** The event within an event, where the provider wraps those of another's format; undefined leaves an event out. */
  readonly unwrap?: (event: StreamEvent, wire: WireName) => StreamEvent | undefined;
  /** Headers, in lower case, by which clients of other formats ask for what only this provider has. */
  readonly passedHeaders?: readonly string[];
  /** Prefixes, in lower case, of the headers of its responses that clients of the same format get. Default: none. */
  readonly responseHeaders?: readonly string[];
  /** The provider makes all choices of a request in one call, and not one each. */
  readonly makesChoices?: true;
  /** Whether an event of a stream is for the gateway alone, by the client's body. */
  readonly isHidden?: (event: StreamEvent, body: Readonly<JsonObject>) => boolean;
  /** How the tokens of a prompt are counted; absent where the provider does not count. */
  readonly countTokens?: TokenCounting;
  /** Absent where the provider has no list of what can be called. */
  readonly modelList?: ModelListRequest;
}
