import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { GatewayError, invalidRequest } from '../errors/gateway-error.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import { SOURCE, type RequestSource } from '../operations/chat/canonical/sources.js';
import type { PreferredPlace } from '../operations/operation.js';
import { isObject, nonEmptyString, withoutMembers, type JsonObject } from '../runtime/json-value.js';
import { encryptedContents, forProvider, withoutEncryptedReasoning } from '../wire/openai-responses/native-input.js';
import { readRequest } from '../wire/openai-responses/read-request.js';
import { inputItems, resolveReferences, turnItems } from './conversation-items.js';
import type { WireRequest } from '../model-endpoint/chat-request-of.js';
import { objectBody } from '../model-endpoint/wire-endpoint.js';
import { ReasoningOrigins } from './reasoning-origins.js';
import { ResponseStore, type KeptResponse } from './response-store.js';
import { translateRequest } from './translated-request.js';

/** Hexadecimal digits of a response's id. */
const ID_BYTES = 24;

/** A request of the Responses API, ready for the engine. */
export interface PreparedResponse {
  /** The request in OpenAI's chat format, with the client's own body. */
  readonly view: WireRequest;
  readonly canonical: CanonicalRequest;
  readonly toolNames: ReadonlyMap<string, string> | undefined;
  /** Items of the request's own input, each with an id. */
  readonly input: readonly JsonObject[];
  readonly previousId: string | null;
  /** Id of the response, if the provider gives none. */
  readonly responseId: string;
  /** Whether the response is kept. */
  readonly store: boolean;
  /** Whether the client counts on that. */
  readonly needsStore: boolean;
  /** Whether a provider of the format keeps it as well, under the same id. */
  readonly isKeptNatively: boolean;
  /** Whether the client does not wait for the response, and reads it later. */
  readonly isBackground: boolean;
}

/** A body of the Responses API, as far as it can be read by itself. */
export interface ResponseBody {
  readonly body: JsonObject;
  /** Its own content, without that of the previous response. */
  readonly own: CanonicalRequest;
  readonly previousId: string | null;
}

/** @throws GatewayError 400 that names the field */
export function readResponseBody(given: unknown): ResponseBody {
  const body = objectBody(given);
  assertSupported(body);
  return { body, own: readRequest(body), previousId: previousOf(body) };
}

/** Reads requests of the Responses API: what they say, and what they go on from. */
@Injectable()
export class ResponsePreparation {
  constructor(
    private readonly responses: ResponseStore,
    private readonly origins: ReasoningOrigins,
    private readonly config: GatewayConfig,
  ) {}

  /** @throws GatewayError 400 that names the field */
  async prepare({ body, own, previousId }: ResponseBody, keyId: string): Promise<PreparedResponse> {
    const isBackground = body['background'] === true;
    // The gateway itself makes responses in the background, on every provider.
    const sent = isBackground ? withoutMembers(body, ['background']) : body;
    const turns = previousId === null ? [] : await this.responses.conversation(keyId, previousId);
    const responseId = `resp_${randomBytes(ID_BYTES).toString('hex')}`;
    const given = inputItems(body['input']);
    const resolved = await resolveReferences(given, turns, {
      responses: (ids) => this.responses.find(keyId, ids),
      holding: (id) => this.responses.findHolding(keyId, id),
    });
    const isChanged = turns.length > 0 || resolved !== given;
    const history = turns.flatMap(turnItems);
    const { previous_response_id: _previous, ...rest } = sent;
    const whole = isChanged ? { ...rest, input: [...history, ...resolved] } : sent;
    const request = isChanged || isBackground ? readRequest(whole) : own;
    const origins = await this.origins.of(encryptedContents(whole['input']));
    const view = viewOf(request, { body: sent, whole, resolved, turns, origins });
    // The response repeats what the client sent, of which the whole conversation has no member.
    const canonical = { ...request, ...(own.extras !== undefined && { extras: { ...request.extras, ...own.extras } }) };
    return {
      view,
      canonical,
      toolNames: view[SOURCE].toolNames,
      input: resolved
        .filter((item) => !isObject(item) || item['type'] !== 'compaction_trigger')
        .map((item, index) => identified(item, index, responseId)),
      previousId,
      responseId,
      store: isBackground || (own.store ?? this.config.responses.store),
      needsStore: isBackground || own.store === true,
      isKeptNatively: !isBackground && own.store !== false,
      isBackground,
    };
  }
}

function assertSupported(body: JsonObject): void {
  if (body['conversation'] != null) {
    throw unsupported('conversation', "Send 'previous_response_id', or the whole conversation in 'input'.");
  }
  const { background, store } = body;
  if (background !== undefined && background !== null && typeof background !== 'boolean') {
    throw invalidRequest("'background' must be true or false.", 'background', 'invalid_type');
  }
  if (background === true && store === false) {
    throw invalidRequest("'background' needs 'store': a response that is not kept cannot be read later.", 'store');
  }
}

function unsupported(name: string, advice: string): GatewayError {
  return invalidRequest(`'${name}' is not supported by this gateway. ${advice}`, name, 'unsupported_parameter');
}

function previousOf(body: JsonObject): string | null {
  const previous = body['previous_response_id'];
  if (previous === undefined || previous === null) return null;
  const id = nonEmptyString(previous);
  if (id !== undefined) return id;
  throw invalidRequest("'previous_response_id' must be the id of a response.", 'previous_response_id', 'invalid_type');
}

interface Bodies {
  readonly body: Readonly<JsonObject>;
  readonly whole: Readonly<JsonObject>;
  readonly resolved: readonly unknown[];
  readonly turns: readonly KeptResponse[];
  readonly origins: ReadonlyMap<string, PreferredPlace>;
}

/** A request in OpenAI's chat format, with what providers of other formats get. */
function viewOf(canonical: CanonicalRequest, bodies: Bodies): WireRequest {
  const { view, dropped, refusal, toolNames, canonical: translated } = translateRequest(canonical);
  const preferredPlace = [...bodies.origins.values()].at(-1);
  const source: RequestSource = {
    wire: 'openai-responses',
    // The previous response belongs to the key, which was checked, so it is not a provider option.
    body: withoutMembers(bodies.body, ['previous_response_id']),
    canonical: translated,
    dropped,
    toolNames,
    ...(refusal !== undefined && { refusal }),
    ...(preferredPlace !== undefined && { preferredPlace }),
    bodyFor: (provider, upstreamModel) => bodyFor({ provider, upstreamModel }, bodies),
    changed: (change) => {
      const [body, whole] = [change(bodies.body), change(bodies.whole)];
      return viewOf(readRequest(whole), { ...bodies, body, whole });
    },
  };
  return { ...view, [SOURCE]: source };
}

/**
 * The body for a provider that has the Responses API. The client's own where the provider keeps what it goes on from; otherwise
 * with the whole conversation, without reasoning that another deployment encrypted.
 */
function bodyFor(
  { provider, upstreamModel }: PreferredPlace,
  { body, whole, resolved, turns, origins }: Bodies,
): Readonly<JsonObject> {
  const last = turns.at(-1);
  const isKept = last !== undefined && last.provider === provider;
  const isSame = resolved === body['input'] || (isKept && !Array.isArray(body['input']));
  const chosen = isKept
    ? isSame
      ? body
      : { ...body, input: resolved }
    : withoutBareReasoning(whole, turns.length > 0);
  const readable = forProvider(chosen);
  const isForeign = (encrypted: string): boolean => {
    const origin = origins.get(encrypted);
    if (origin === undefined) return false;
    return origin.provider !== provider || (origin.upstreamModel ?? upstreamModel) !== upstreamModel;
  };
  return withoutEncryptedReasoning(readable, isForeign) ?? readable;
}

/** Reasoning that only the provider that made it keeps, and whose id no other knows. */
function withoutBareReasoning(body: Readonly<JsonObject>, hasHistory: boolean): Readonly<JsonObject> {
  const { input } = body;
  if (!hasHistory || !Array.isArray(input)) return body;
  const isBare = (item: unknown): boolean =>
    isObject(item) && item['type'] === 'reasoning' && nonEmptyString(item['encrypted_content']) === undefined;
  return { ...body, input: input.filter((item: unknown) => !isBare(item)) };
}

/** The item as it is listed: with an id, and content in parts. */
function identified(item: unknown, index: number, responseId: string): JsonObject {
  if (!isObject(item)) return { type: 'message', role: 'user', content: String(item) };
  const isMessage = item['type'] === undefined || item['type'] === 'message';
  const id = nonEmptyString(item['id']) ?? `${isMessage ? 'msg' : 'item'}_in_${responseId.slice(5, 37)}${index}`;
  if (!isMessage) return { ...item, id };
  const { content } = item;
  const type = item['role'] === 'assistant' ? 'output_text' : 'input_text';
  const parts = typeof content === 'string' ? [{ type, text: content }] : content;
  return { ...item, id, type: 'message', status: 'completed', content: parts };
}
