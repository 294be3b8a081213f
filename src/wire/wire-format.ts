import type { GatewayError } from '../errors/gateway-error.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import type { CanonicalChunk, CanonicalResult } from '../operations/chat/canonical/canonical-result.js';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import type { JsonObject } from '../runtime/json-value.js';

/** The facts about the deployment that a writer of requests needs. */
export interface Target {
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  /** Format of the client, whose names errors and dropped fields have. */
  readonly client: WireName;
  /** Most output tokens of the model, where the configuration or the catalogue knows them. */
  readonly maxOutputTokens?: number;
  /** What this deployment is known to take or refuse, by the format's own names; from the provider's definition. */
  readonly traits: Traits;
}

/** Facts of a provider or of a model family that the writer of a format reads. Each format documents those that it knows. */
export type Traits = Readonly<Record<string, string | number | boolean | undefined>>;

/** A request in a provider's format. */
export interface Written {
  readonly body: JsonObject;
  /** Headers that belong to the body, such as `anthropic-beta`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Fields that were left out, by the client's names. Harmless to leave out, or the writer throws. */
  readonly dropped: readonly string[];
  /** Tool names that were changed, by their name at the provider. Readers change them back. */
  readonly toolNames?: ReadonlyMap<string, string>;
}

/** The facts about the request that a reader of responses needs. */
export interface ReadContext {
  readonly upstreamModel: string;
  /** The tool names that `Written` returned. */
  readonly toolNames?: ReadonlyMap<string, string>;
  /** Removes credentials from text of the provider that reaches a client. */
  readonly redact: (text: string) => string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The facts about the request that a writer of responses needs. */
export interface WriteContext {
  /** The model that the client named. */
  readonly model: string;
  /** Id of the call, for responses without an id of the provider. */
  readonly requestId: string;
  /** Of the response, where it was chosen before: a format that stores responses needs it. */
  readonly responseId?: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The request, for formats whose responses repeat parts of it. */
  readonly request: CanonicalRequest;
  /** Whether the client asked for usage in a stream. */
  readonly includesUsage: boolean;
  /** Estimated tokens of the prompt, for formats that begin a stream with it; 0 where unknown. */
  readonly estimatedInputTokens: number;
}

/** One event of a stream, whichever framing brought it. */
export interface WireEvent {
  /** The event's name; empty where it has none. */
  readonly event: string;
  /** JSON text. */
  readonly data: string;
}

/**
 * Reads a stream. Open: unknown events and members are ignored, and what a provider repeats, omits or sends late is tolerated.
 */
export interface StreamReader {
  /**
   * Appends the content of an event.
   *
   * @throws GatewayError for an event by which the provider reports a failure
   */
  read(event: WireEvent, out: CanonicalChunk[]): void;
  /** Whether the response is whole: nothing but the end of the connection is left to come. */
  readonly isWhole: boolean;
  /** The format's own end has come, so that what follows is not read. */
  readonly isDone: boolean;
  /**
   * The connection has ended. Appends what was left open, `end` last.
   *
   * @throws GatewayError where the response is not whole
   */
  end(out: CanonicalChunk[]): void;
}

/** Writes the frames of a stream. All methods return text to send; empty where there is nothing. */
export interface StreamWriter {
  write(chunks: readonly CanonicalChunk[]): string;
  /** A sign of life during silence. */
  ping(): string;
  /** Frames after the last chunk of a whole response. */
  end(): string;
  /** The event that ends a failed stream. */
  error(error: GatewayError): string;
}

/** A wire format of chat as a client of the provider sees it. */
export interface ProviderWire {
  readonly name: WireName;
  /** @throws GatewayError 400 for what the provider cannot take and the request cannot do without */
  writeRequest(request: CanonicalRequest, target: Target): Written;
  /**
   * Removes the members of a client's body that the provider refuses although it has the same format. Returns the same body if
   * there are none.
   */
  fitNative?(body: Readonly<JsonObject>): Readonly<JsonObject>;
  /** The event that ends a whole stream, where the format has one that carries nothing else. Providers may leave it out. */
  readonly endFrame?: string;
  /** @throws GatewayError where it is no response of this format */
  readResponse(body: unknown, context: ReadContext): CanonicalResult;
  readStream(context: ReadContext): StreamReader;
}

/**
 * One wire format of chat, in both directions: as a client of a provider and as a server of clients. Pure: no I/O.
 *
 * Within a format's abilities `readRequest(writeRequest(x).body)` equals `x`; what is outside of them is in `dropped`, or refused.
 */
export interface WireFormat extends ProviderWire {
  /** @throws GatewayError 400 with the path of the fault */
  readRequest(body: JsonObject): CanonicalRequest;
  /** Why no other format can hold this request, which then goes to providers of this format alone. Absent: any other can. */
  nativeOnly?(body: Readonly<JsonObject>): GatewayError | undefined;
  writeResponse(result: CanonicalResult, context: WriteContext): JsonObject;
  writeStream(context: WriteContext): StreamWriter;
  /** The body of an error, in the words that this format's clients match. */
  writeError(error: GatewayError, requestId: string): JsonObject;
}
