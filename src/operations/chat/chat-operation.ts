import { withoutMembers, type JsonObject } from '../../runtime/json-value.js';
import { JsonOperation } from '../json-operation.js';
import type { PreferredPlace, RecordingDetail, SpanAttributes } from '../operation.js';
import { requestAttributes } from './chat-attributes.js';
import { ChatCollector } from './chat-collector.js';
import { SOURCE } from './canonical/sources.js';
import type { WireName } from './canonical/wire-name.js';
import type { ChatRequest } from './chat-completion.js';
import { ChatEstimate } from './chat-estimate.js';
import { conversationKey } from './conversation-key.js';
import { withoutUnpricedTools, type WithoutUnpriced } from './unpriced-tools.js';

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'n',
  'stream',
  'stream_options',
  'stop',
  'store',
  'metadata',
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'parallel_tool_calls',
  'response_format',
  'user',
  'reasoning_effort',
  'prompt_cache_key',
  'strict_params',
  'seed',
]);

/** All completions that are made are reserved, and not only those that are returned. */
const KNOWN_COMPLETION_FIELDS: ReadonlySet<string> = new Set([...KNOWN_FIELDS, 'prompt', 'best_of']);

const NO_HEADERS: ReadonlySet<string> = new Set();
/** Headers that belong to the body of a format: without them, the provider refuses fields of it. */
const OWN_HEADERS: { readonly [Wire in WireName]?: ReadonlySet<string> } = {
  anthropic: new Set(['anthropic-beta']),
  'openai-responses': new Set(['openai-beta']),
};

class ChatOperation extends JsonOperation<'chat'> {
  override readonly name = 'chat';
  override readonly knownFields = KNOWN_FIELDS;

  override knownFieldsOf(request: ChatRequest): ReadonlySet<string> {
    return request[SOURCE]?.wire === 'openai-completions' ? KNOWN_COMPLETION_FIELDS : KNOWN_FIELDS;
  }

  override estimate(request: ChatRequest): ChatEstimate {
    return new ChatEstimate(request);
  }

  override collector(request: ChatRequest, detail: RecordingDetail): ChatCollector {
    return new ChatCollector(request, detail);
  }

  /** The client's own body, by whose names its fields are known. */
  override fieldsOf(request: ChatRequest): Readonly<JsonObject> {
    return request[SOURCE]?.body ?? request;
  }

  override withoutFields(request: ChatRequest, names: readonly string[]): ChatRequest {
    return request[SOURCE]?.changed((body) => withoutMembers(body, names)) ?? super.withoutFields(request, names);
  }

  override loggedRequest(request: ChatRequest): unknown {
    return this.fieldsOf(request);
  }

  override ownHeadersOf(request: ChatRequest): ReadonlySet<string> {
    return OWN_HEADERS[request[SOURCE]?.wire ?? 'openai-chat'] ?? NO_HEADERS;
  }

  override asksForSeveral({ n }: ChatRequest): boolean {
    return n != null && n !== 1;
  }

  override withoutUnpriced(request: ChatRequest): WithoutUnpriced {
    return withoutUnpricedTools(request);
  }

  /** Requests with the same key find their prompt in the provider's cache. */
  override cacheKeyOf({ prompt_cache_key: key }: ChatRequest): string | undefined {
    return typeof key === 'string' && key !== '' ? key : undefined;
  }

  override conversationOf(request: ChatRequest): string | undefined {
    return conversationKey(request);
  }

  override preferredPlace(request: ChatRequest): PreferredPlace | undefined {
    return request[SOURCE]?.preferredPlace;
  }

  override wireFormatOf(request: ChatRequest): string {
    return request[SOURCE]?.wire ?? 'openai-chat';
  }

  override endUserOf({ user }: ChatRequest): string | null {
    return typeof user === 'string' ? user : null;
  }

  override metadataOf({ metadata }: ChatRequest): JsonObject | null {
    return metadata ?? null;
  }

  override requestAttributes(request: ChatRequest): SpanAttributes {
    return requestAttributes(request);
  }
}

/** Chat completions. */
export const CHAT = new ChatOperation();
