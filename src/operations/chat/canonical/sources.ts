import type { GatewayError } from '../../../errors/gateway-error.js';
import type { PreferredPlace } from '../../operation.js';
import type { JsonObject } from '../../../runtime/json-value.js';
import type { ChatRequest } from '../chat-completion.js';
import type { CanonicalRequest } from './canonical-request.js';
import type { CanonicalResult } from './canonical-result.js';
import type { WireName } from './wire-name.js';

/**
 * The engine reads requests, results and chunks of chat in OpenAI's form. If the client or the provider uses another format,
 * that form is a translation, and the original is attached under this key: JSON does not contain it, and a copy by spread keeps
 * it.
 */
export const SOURCE: unique symbol = Symbol('source');

/** A request as the client sent it. */
export interface RequestSource {
  readonly wire: WireName;
  /** The parsed body, not to be changed. */
  readonly body: Readonly<JsonObject>;
  readonly canonical: CanonicalRequest;
  /** The fields that OpenAI's form cannot express, by the client's names. */
  readonly dropped: readonly string[];
  /** The client's names of tools that were changed for OpenAI's form, by the changed ones. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
  /** Why OpenAI's form cannot hold the request. A provider that needs that form throws it. */
  readonly refusal?: GatewayError;
  /** Why no provider of another format can take the request. */
  readonly nativeOnly?: GatewayError;
  /** The request with another body, which is made of its own. */
  readonly changed: (change: (body: Readonly<JsonObject>) => JsonObject) => ChatRequest;
  /** The gateway has changed what is asked: the body is not sent, also not to a provider of the same format. */
  readonly isChanged?: boolean;
  /** The body for a deployment of the same format, where it depends on which one that is. Default: `body`. */
  readonly bodyFor?: (provider: string, upstreamModel: string) => Readonly<JsonObject>;
  /** Where a part of the request was made that no other deployment can read. */
  readonly preferredPlace?: PreferredPlace;
}

/** A whole response as the provider sent it. */
export interface ResultSource {
  readonly wire: WireName;
  /** The response body. */
  readonly text: string;
  readonly canonical: CanonicalResult;
}
