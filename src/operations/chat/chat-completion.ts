/**
 * OpenAI's chat completion shapes, as far as the gateway reads them. Every object may carry more fields, which
 * travel through untouched; that is why each has an index signature.
 */

import type { RequestSource, ResultSource, SOURCE } from './canonical/sources.js';

/** `function_call` is used only for requests with the deprecated `functions`. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call';

/** A tool call in OpenAI's form; `arguments` is JSON text. */
export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
  [field: string]: unknown;
}

/** A message in OpenAI's form. */
export interface ChatMessage {
  role: 'developer' | 'system' | 'user' | 'assistant' | 'tool' | 'function';
  content?: string | null | ContentPart[];
  name?: string;
  tool_calls?: ToolCall[];
  tool_call_id?: string;
  [field: string]: unknown;
}

/** A part of a message in OpenAI's form. */
export interface ContentPart {
  type: string;
  text?: string;
  [field: string]: unknown;
}

/** A function tool in OpenAI's form. */
export interface FunctionTool {
  type: string;
  /** Absent from tools that are not functions (`custom`, and what comes next). */
  function?: { name: string; description?: string; parameters?: Record<string, unknown>; strict?: boolean | null };
  [field: string]: unknown;
}

/** A validated request body. Plain data as parsed from JSON, never a class instance; not to be mutated. */
export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  /** Null means absent, for every optional field. */
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  temperature?: number | null;
  top_p?: number | null;
  n?: number | null;
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean | null; [field: string]: unknown } | null;
  stop?: string | string[] | null;
  metadata?: Record<string, unknown> | null;
  store?: boolean | null;
  tools?: FunctionTool[] | null;
  tool_choice?: string | Record<string, unknown> | null;
  parallel_tool_calls?: boolean | null;
  response_format?: { type: string; json_schema?: Record<string, unknown>; [field: string]: unknown } | null;
  user?: string | null;
  /** Set where the client speaks another format than OpenAI's. */
  readonly [SOURCE]?: RequestSource;
  [field: string]: unknown;
}

/** Of usage: what a provider bills beside tokens, where OpenAI's form has no member for it. JSON does not contain it. */
export const BILLED_BESIDE: unique symbol = Symbol('billed beside tokens');

/** What a call is billed by beside its tokens. */
export interface BilledBeside {
  /** The service tier, by the provider's own name. */
  readonly serviceTier?: string;
  /** Searches of the web that the provider made itself. */
  readonly webSearches?: number;
}

/** Token counts as the provider reported them. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number; [field: string]: unknown } | null;
  completion_tokens_details?: { reasoning_tokens?: number; [field: string]: unknown } | null;
  [BILLED_BESIDE]?: BilledBeside;
  [field: string]: unknown;
}

/** The message of a choice. */
export interface AssistantMessage {
  role: 'assistant';
  content: string | null;
  refusal: string | null;
  tool_calls?: ToolCall[];
  function_call?: FunctionCall;
  [field: string]: unknown;
}

/** One choice of a completion. */
export interface Choice {
  index: number;
  message: AssistantMessage;
  logprobs: unknown;
  finish_reason: FinishReason;
  [field: string]: unknown;
}

/** A complete response in OpenAI's form. */
export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Unix seconds. */
  created: number;
  model: string;
  choices: Choice[];
  /** Absent only when the upstream reported none. */
  usage?: Usage;
  /** Set where the provider speaks another format than OpenAI's. */
  readonly [SOURCE]?: ResultSource;
  [field: string]: unknown;
}

/** A part of a tool call in a stream; `index` identifies the call. */
export interface ToolCallDelta {
  index: number;
  id?: string;
  type?: 'function';
  function?: { name?: string; arguments?: string };
  [field: string]: unknown;
}

/** The deprecated form of one tool call; in a stream its arguments come in pieces. */
export interface FunctionCall {
  name?: string;
  arguments?: string;
  [field: string]: unknown;
}

/** The new part of a choice in a chunk. */
export interface Delta {
  role?: 'assistant';
  function_call?: FunctionCall;
  content?: string | null;
  refusal?: string | null;
  tool_calls?: ToolCallDelta[];
  [field: string]: unknown;
}

/** One choice of a chunk. */
export interface ChunkChoice {
  index: number;
  delta: Delta;
  logprobs?: unknown;
  finish_reason: FinishReason | null;
  [field: string]: unknown;
}

/** A chunk of a stream in OpenAI's form. */
export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  /** Unix seconds; the same in every chunk of a stream. */
  created: number;
  model: string;
  /** Empty in the usage chunk, which comes last. */
  choices: ChunkChoice[];
  usage?: Usage | null;
  [field: string]: unknown;
}
