import { isObject, type JsonObject } from '../runtime/json-value.js';
import { BILLED_BESIDE, type BilledBeside } from './chat/chat-completion.js';
import { readCounts } from './chat/reported-counts.js';
import { boundTokens, NO_TOKENS, readTokenCount, type TokenCount } from '../runtime/token-count.js';

/** The units beside tokens that a call is billed by; each only if the provider bills it. */
export interface BilledUnits {
  /** Images that were made. */
  readonly images?: number;
  /** Seconds of sound, sent or made. */
  readonly audioSeconds?: number;
  /** Code points of text that is read out. */
  readonly characters?: number;
  /** Search units of reranking, as Cohere counts them: a query with up to 100 documents. */
  readonly searchUnits?: number;
  /** Searches of the web that a provider made for a chat call. */
  readonly webSearches?: number;
}

/** Tokens that a call is billed by. */
export interface BilledTokens {
  readonly promptTokens: TokenCount;
  readonly completionTokens: TokenCount;
  readonly totalTokens: TokenCount;
  /** Prompt tokens that were read from the provider's cache. */
  readonly cachedTokens: TokenCount;
  /** Prompt tokens that were written into the provider's cache, for any time. */
  readonly cacheWriteTokens: TokenCount;
  /** Of the cache writes, those that are kept for an hour; the others are kept for five minutes. */
  readonly cacheWrite1hTokens: TokenCount;
  /** Completion tokens that were spent on thinking. */
  readonly reasoningTokens: TokenCount;
}

/** Tokens of pictures and sound, each a part of the tokens of the prompt or of the completion. The others are text. */
export interface ModalityTokens {
  readonly imageInput: TokenCount;
  readonly audioInput: TokenCount;
  readonly imageOutput: TokenCount;
  readonly audioOutput: TokenCount;
}

/** The properties on which the price of an image depends; undefined if the model chose them. */
export interface ImageKind {
  readonly size: string | undefined;
  readonly quality: string | undefined;
}

/** All that a call is billed by. */
export interface BilledUsage extends BilledTokens {
  /** Absent where only tokens are billed. */
  readonly units?: BilledUnits;
  /** Absent where all tokens are text, or where that is not known. */
  readonly modalities?: ModalityTokens;
  /** Size and quality of the images of `units`. */
  readonly imageKind?: ImageKind;
  /** Of an upper bound: the request asks for parts of its prompt to be cached for an hour, which costs more than five minutes. */
  readonly mayCacheForAnHour?: true;
}

export const NOTHING_BILLED: BilledTokens = {
  promptTokens: NO_TOKENS,
  completionTokens: NO_TOKENS,
  totalTokens: NO_TOKENS,
  cachedTokens: NO_TOKENS,
  cacheWriteTokens: NO_TOKENS,
  cacheWrite1hTokens: NO_TOKENS,
  reasoningTokens: NO_TOKENS,
};

/** Prompt and completion alone. */
export function billedTokens(promptTokens: TokenCount, completionTokens: TokenCount): BilledTokens {
  return {
    promptTokens,
    completionTokens,
    totalTokens: boundTokens(promptTokens + completionTokens),
    cachedTokens: NO_TOKENS,
    cacheWriteTokens: NO_TOKENS,
    cacheWrite1hTokens: NO_TOKENS,
    reasoningTokens: NO_TOKENS,
  };
}

/**
 * What a provider's usage bills. Some providers count reasoning outside of `completion_tokens`, and all of them in
 * `total_tokens`: where the total has more than prompt and completion, the completion is larger by that. Undefined when the
 * provider did not report.
 */
export function readBilledTokens(usage: unknown): BilledUsage | undefined {
  if (!isObject(usage)) return undefined;
  const counts = readCounts(usage);
  if (counts === undefined) return undefined;
  const { prompt: promptTokens, total } = counts;
  const completionTokens = boundTokens(Math.max(counts.completion, total - promptTokens));
  const ofPrompt = detailsOf(usage['prompt_tokens_details']);
  const ofCompletion = detailsOf(usage['completion_tokens_details']);
  const cachedTokens = atMost(ofPrompt['cached_tokens'], promptTokens);
  const cacheWriteTokens = atMost(ofPrompt['cache_write_tokens'], promptTokens - cachedTokens);
  const webSearches = webSearchesOf(usage);
  return {
    promptTokens,
    completionTokens,
    totalTokens: boundTokens(promptTokens + completionTokens),
    cachedTokens,
    cacheWriteTokens,
    cacheWrite1hTokens: atMost(ofPrompt['cache_write_1h_tokens'], cacheWriteTokens),
    reasoningTokens: atMost(ofCompletion['reasoning_tokens'], completionTokens),
    ...(webSearches > 0 && { units: { webSearches } }),
  };
}

/**
 * Searches of the web that the provider made: as a reader of another format found them, or where servers of OpenAI's format have them.
 * Perplexity: `num_search_queries`; OpenRouter: `server_tool_use`; xAI: `server_side_tool_usage_details`.
 */
function webSearchesOf(usage: JsonObject): number {
  const beside = (usage as { readonly [BILLED_BESIDE]?: BilledBeside })[BILLED_BESIDE];
  return (
    beside?.webSearches ??
    readTokenCount(usage['num_search_queries']) ??
    readTokenCount(detailsOf(usage['server_tool_use'])['web_search_requests']) ??
    readTokenCount(detailsOf(usage['server_side_tool_usage_details'])['web_search_calls']) ??
    0
  );
}

function detailsOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function atMost(value: unknown, most: number): TokenCount {
  return boundTokens(Math.min(readTokenCount(value) ?? 0, most));
}
