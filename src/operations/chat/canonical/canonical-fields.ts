import type { CanonicalRequest } from './canonical-request.js';
import type { WireName } from './wire-name.js';

/** A member of a canonical request that a provider may be unable to take, or a part of one. */
export type CanonicalField = Exclude<keyof CanonicalRequest, 'model' | 'messages' | 'stream' | 'extras'> | 'cacheHints';

/** The name that each client format has for a field. A field that is absent has OpenAI's name. */
const NAMES: { readonly [Wire in WireName]?: { readonly [Field in CanonicalField]?: string } } = {
  'openai-chat': {
    toolChoice: 'tool_choice',
    parallelToolCalls: 'parallel_tool_calls',
    maxOutputTokens: 'max_completion_tokens',
    topP: 'top_p',
    topK: 'top_k',
    frequencyPenalty: 'frequency_penalty',
    presencePenalty: 'presence_penalty',
    topLogprobs: 'top_logprobs',
    logitBias: 'logit_bias',
    choices: 'n',
    responseFormat: 'response_format',
    reasoning: 'reasoning_effort',
    serviceTier: 'service_tier',
    promptCacheKey: 'prompt_cache_key',
    endUser: 'user',
    cache: 'cache_control',
    cacheHints: 'cache_control',
  },
  'openai-responses': {
    maxOutputTokens: 'max_output_tokens',
    reasoning: 'reasoning',
    responseFormat: 'text.format',
    verbosity: 'text.verbosity',
  },
  anthropic: {
    maxOutputTokens: 'max_tokens',
    stop: 'stop_sequences',
    reasoning: 'thinking',
    parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
    responseFormat: 'output_config.format',
    endUser: 'metadata.user_id',
  },
  gemini: {
    toolChoice: 'toolConfig',
    maxOutputTokens: 'generationConfig.maxOutputTokens',
    temperature: 'generationConfig.temperature',
    topP: 'generationConfig.topP',
    topK: 'generationConfig.topK',
    stop: 'generationConfig.stopSequences',
    seed: 'generationConfig.seed',
    frequencyPenalty: 'generationConfig.frequencyPenalty',
    presencePenalty: 'generationConfig.presencePenalty',
    logprobs: 'generationConfig.responseLogprobs',
    topLogprobs: 'generationConfig.logprobs',
    choices: 'generationConfig.candidateCount',
    responseFormat: 'generationConfig.responseSchema',
    reasoning: 'generationConfig.thinkingConfig',
  },
};

/** The client's own name for a field, for `x-gateway-dropped-params` and for the `param` of an error. */
export function fieldName(field: CanonicalField, wire: WireName): string {
  return NAMES[wire]?.[field] ?? NAMES['openai-chat']?.[field] ?? field;
}
