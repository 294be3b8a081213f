import type { JsonObject } from '../../../runtime/json-value.js';
import type { CacheHint, CanonicalMessage, Extras } from './blocks.js';
import type { WireName } from './wire-name.js';

/** A tool that the client runs. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of an object, as the client wrote it; undefined takes no parameters. */
  readonly parameters?: Readonly<JsonObject>;
  readonly strict?: boolean;
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}

/** A tool of the client whose input is free text, perhaps by a grammar. */
export interface CustomTool {
  readonly type: 'custom';
  readonly name: string;
  readonly description?: string;
  /** OpenAI's form: `{type: "grammar", syntax, definition}`. */
  readonly format?: Readonly<JsonObject>;
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}

/** A tool that the provider runs, or that only one format knows. */
export interface HostedTool {
  readonly type: 'hosted';
  readonly wire: WireName;
  /** As the format names it: `web_search`, `code_execution_20250825`, `googleSearch`. */
  readonly name: string;
  readonly value: Readonly<JsonObject>;
  /** Where it is in the client's request, for messages: `tools[2]`. */
  readonly place?: string;
}

export type CanonicalTool = FunctionTool | CustomTool | HostedTool;

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string }
  /** One of these; `mode` says whether it must be one. */
  | { readonly type: 'allowed'; readonly mode: 'auto' | 'required'; readonly names: readonly string[] };

export type ResponseFormat =
  | { readonly type: 'text' | 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly name?: string;
      readonly description?: string;
      readonly schema: Readonly<JsonObject>;
      readonly strict?: boolean;
    };

/** How much the model thinks. Formats have one of the three ways, and writers convert. */
export interface Reasoning {
  /** `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`. `none` is off. */
  readonly effort?: string;
  /** Tokens; 0 is off. */
  readonly budgetTokens?: number;
  /** The model decides (Anthropic's `adaptive`, Gemini's -1). */
  readonly isAdaptive?: boolean;
  /** Whether the client wants to read it: OpenAI's `summary`, Gemini's `includeThoughts`. */
  readonly isShown?: boolean;
}

/**
 * A request for chat in no provider's format: a superset of all. Absent is the provider's default; null does not occur.
 * A member that only one format has stays in its `extras`.
 */
export interface CanonicalRequest {
  readonly model: string;
  /** System prompts come first, where the format has them apart from the turns. */
  readonly messages: readonly CanonicalMessage[];
  readonly stream?: boolean;
  readonly tools?: readonly CanonicalTool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  /** Tokens of the response, thinking included. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  /** Whether to give the log probabilities of tokens. */
  readonly logprobs?: boolean;
  readonly topLogprobs?: number;
  readonly logitBias?: Readonly<JsonObject>;
  /** Responses to the same request. */
  readonly choices?: number;
  readonly responseFormat?: ResponseFormat;
  readonly reasoning?: Reasoning;
  /** `low`, `medium`, `high`. */
  readonly verbosity?: string;
  readonly serviceTier?: string;
  readonly promptCacheKey?: string;
  /** The client's id of its end user. */
  readonly endUser?: string;
  readonly metadata?: Readonly<JsonObject>;
  /** Whether the provider may keep the response. */
  readonly store?: boolean;
  /** Cache control of the whole request (Anthropic's top-level `cache_control`). */
  readonly cache?: CacheHint;
  readonly extras?: Extras;
}
