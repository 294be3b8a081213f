/** Differences of servers with OpenAI's format from OpenAI. With them the gateway adapts a request to each server. */
export interface Quirks {
  /** The only name of the token limit that the server honors; undefined where it knows both. */
  readonly tokenLimit?: 'max_tokens' | 'max_completion_tokens';
  /** Whether the server knows the role `developer`. If not, it is sent as `system`. Default true. */
  readonly developerRole?: boolean;
  /** Whether the server takes `stream_options`. If not, it must report usage in streams by itself. Default true. */
  readonly streamOptions?: boolean;
  /** The provider whose `fields` the server accepts; others are dropped and named. Default `any`: unknown fields pass through. */
  readonly accepts?: string;
  /** The provider whose format of embeddings the server has. Default: what is known of the server, else OpenAI's. */
  readonly embeddings?: string;
  /** The format of its reranking, without `-rerank`. Default: what is known of the server, else Jina's, which vLLM has too. */
  readonly rerank?: string;
}

/** The quirks of most servers of open models: the older name of the token limit, and the older role. */
export const OPEN_MODEL_QUIRKS: Quirks = { tokenLimit: 'max_tokens', developerRole: false };

/** The fields of OpenAI's chat request that a server supports. An absent set means no rule. */
export interface FieldRules {
  /** All fields of the request that the server knows; it refuses any other. */
  readonly fields?: ReadonlySet<string>;
  /** Fields of the request that the server is known to refuse, where it has no closed list. */
  readonly refusedFields?: ReadonlySet<string>;
  /** The server's own names for OpenAI's fields. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** All fields of a message that the server knows, by role. Roles that are absent have no rule. */
  readonly messageFields?: Readonly<Record<string, ReadonlySet<string>>>;
  /** Fields of messages that the server is known to refuse, where it has no closed list. */
  readonly refusedMessageFields?: ReadonlySet<string>;
  /** All fields of a tool call in a history. */
  readonly toolCallFields?: ReadonlySet<string>;
  /** Letters and digits that ids of tool calls have, no more and no less. Others are replaced, the same ones always alike. */
  readonly callIdLength?: number;
  /** Whether an assistant message without text and tool calls is refused. */
  readonly refusesEmptyTurns?: boolean;
  /** False where it knows `tools` alone, and not the deprecated `functions`. */
  readonly takesFunctions?: false;
  /** Most stop sequences. */
  readonly maxStops?: number;
}

/** A set of names, separated by spaces. */
export function namesOf(names: string): ReadonlySet<string> {
  return new Set(names.split(' '));
}

/** Request fields of OpenAI's platform. Servers of open models have nothing behind them. */
export const PLATFORM_FIELDS =
  'store service_tier safety_identifier prompt_cache_key prompt_cache_retention verbosity web_search_options modalities audio prediction';
/** The members of messages in responses of OpenAI and of this gateway beside role, content and tool calls. */
export const RESPONSE_FIELDS =
  'refusal annotations audio images thinking_blocks reasoning_details provider_specific_fields reasoning';
