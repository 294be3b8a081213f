import type { JsonObject } from '../../../runtime/json-value.js';
import type { CanonicalBlock, Extras, Signature } from './blocks.js';

/**
 * Why the model stopped. `refusal`: it declined. `content_filter`: a filter removed or stopped it. `pause`: the provider asks to be
 * called again with what it has written. `context_length`: the context window is full.
 */
export type FinishReason =
  'stop' | 'stop_sequence' | 'length' | 'context_length' | 'tool_calls' | 'content_filter' | 'refusal' | 'pause';

/** Token counts as the provider reported them, in one meaning for all. */
export interface CanonicalUsage {
  /** All of the prompt, with what was read from and written into a cache. */
  readonly inputTokens: number;
  /** Prompt tokens that were read from the cache. */
  readonly cachedTokens?: number;
  /** Prompt tokens that were written into the cache, for any time. */
  readonly cacheWriteTokens?: number;
  /** Cache writes that are kept for one hour. */
  readonly cacheWrite1hTokens?: number;
  /** All of the response, thinking included. */
  readonly outputTokens: number;
  /** Output tokens that were spent on thinking. */
  readonly reasoningTokens?: number;
  /** The service tier that the provider says it used, by its own name. */
  readonly serviceTier?: string;
  /** Searches of the web that the provider made itself, which it bills beside tokens. */
  readonly webSearches?: number;
  /** Counts that only the provider's format has. */
  readonly extras?: Extras;
}

/** One choice of a result. */
export interface CanonicalChoice {
  readonly blocks: readonly CanonicalBlock[];
  readonly finish: FinishReason;
  /** The sequence that ended it. */
  readonly stopSequence?: string;
  /** OpenAI's `logprobs`. */
  readonly logprobs?: unknown;
  readonly extras?: Extras;
}

/** A whole response. */
export interface CanonicalResult {
  readonly id?: string;
  /** The model that the provider says it ran. */
  readonly model?: string;
  /** Unix seconds. */
  readonly created?: number;
  /** At least one. */
  readonly choices: readonly CanonicalChoice[];
  /** Undefined where the provider reported none. */
  readonly usage?: CanonicalUsage;
  readonly serviceTier?: string;
  readonly extras?: Extras;
}

/** The beginning of a block of a stream: what is known before its deltas. */
export type BlockStart =
  | { readonly type: 'text' | 'refusal' | 'thinking' }
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly kind: 'function' | 'custom' }
  /** A block that comes whole: an image, sound, an opaque block, redacted thinking. */
  | { readonly type: 'whole'; readonly block: CanonicalBlock };

/**
 * One step of a streamed response. Order, held by every reader: `start` first and once; for each choice its blocks with
 * contiguous indices from 0, each `block_start`, its deltas, `block_end`, and no two open at once but tool calls that a
 * provider interleaves; then `finish`; `usage` as often as the provider reports it, each one whole and replacing the last; `end`
 * last and only after a whole response.
 */
export type CanonicalChunk =
  | { readonly type: 'start'; readonly id?: string; readonly model?: string; readonly created?: number }
  | { readonly type: 'block_start'; readonly choice: number; readonly index: number; readonly block: BlockStart }
  /** Text of a text, refusal or thinking block, or a piece of a tool call's input. */
  | { readonly type: 'delta'; readonly choice: number; readonly index: number; readonly text: string }
  /** Of a thinking block, a text block or a tool call; whole, and before the block ends. */
  | { readonly type: 'signature'; readonly choice: number; readonly index: number; readonly signature: Signature }
  /** Members of a block that only one format has, such as a citation. */
  | { readonly type: 'block_extras'; readonly choice: number; readonly index: number; readonly extras: Extras }
  | { readonly type: 'block_end'; readonly choice: number; readonly index: number }
  | { readonly type: 'logprobs'; readonly choice: number; readonly logprobs: unknown }
  | {
      readonly type: 'finish';
      readonly choice: number;
      readonly reason: FinishReason;
      readonly stopSequence?: string;
      readonly extras?: Extras;
    }
  | { readonly type: 'usage'; readonly usage: CanonicalUsage }
  /** Members of the response that only one format has. */
  | { readonly type: 'extras'; readonly extras: Extras }
  | { readonly type: 'ping' }
  | { readonly type: 'end' };

/** JSON of a body, as it is sent or was received. */
export type WireBody = Readonly<JsonObject>;
