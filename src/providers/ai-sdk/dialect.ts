import type { NativeProviderType } from '../../config/gateway-config.js';

/** How a provider is asked to think, and for how long. */
export type ReasoningStyle =
  'anthropic' | 'google' | 'bedrock' | 'cohere' | 'mistral' | 'xai' | 'groq' | 'deepseek' | 'openai' | 'field' | 'none';

/** What sets one provider's package apart from the next, as far as the mappings care. */
export interface Dialect {
  /** The key of `providerOptions` under which the package reads its own options. */
  readonly namespace: string;
  /** Whether system messages may stand between the others. Where not, they are moved to the front. */
  readonly systemAnywhere: boolean;
  /**
   * How the reasoning of earlier turns goes back: `signed` needs the provider's own signature, `text` takes
   * `reasoning_content` as it is, `none` must not see it.
   */
  readonly earlierReasoning: 'signed' | 'text' | 'none';
  /** How `response_format: json_object` is asked for: by a parameter, or in words. */
  readonly jsonObject: 'parameter' | 'instruction';
  /** Whose form a `cache_control` hint takes; `none` caches by itself or not at all. */
  readonly cacheHints: 'anthropic' | 'bedrock' | 'none';
  readonly reasoning: ReasoningStyle;
  /** Whether its models are Claude, which has one form for parallel tools and thinking wherever it runs. */
  readonly claude: boolean;
  /** Whether it takes image addresses in tool results. */
  readonly toolResultUrls: boolean;
  readonly takesTools: boolean;
  /** Whether the package sends on, as they are, fields that it does not know. */
  readonly passesUnknown: boolean;
  /** The package's own names for OpenAI's fields. */
  readonly renamed: Readonly<Record<string, string>>;
  /** Whether `strict` of a JSON schema has an option of its own; without it the package would always be strict. */
  readonly strictSchemas: boolean;
  /** Most stop sequences that it takes; undefined where no bound is known. */
  readonly maxStops?: number;
}

const PLAIN: Omit<Dialect, 'namespace'> = {
  systemAnywhere: true,
  earlierReasoning: 'none',
  jsonObject: 'parameter',
  cacheHints: 'none',
  reasoning: 'none',
  claude: false,
  toolResultUrls: false,
  takesTools: true,
  passesUnknown: false,
  renamed: {},
  strictSchemas: false,
};

const ANTHROPIC: Dialect = {
  ...PLAIN,
  namespace: 'anthropic',
  systemAnywhere: false,
  earlierReasoning: 'signed',
  jsonObject: 'instruction',
  cacheHints: 'anthropic',
  reasoning: 'anthropic',
  claude: true,
  toolResultUrls: true,
};

const GOOGLE: Dialect = { ...PLAIN, namespace: 'google', systemAnywhere: false, reasoning: 'google', maxStops: 5 };

const BEDROCK: Dialect = {
  ...PLAIN,
  namespace: 'bedrock',
  systemAnywhere: false,
  earlierReasoning: 'signed',
  jsonObject: 'instruction',
  cacheHints: 'bedrock',
  reasoning: 'bedrock',
  renamed: { service_tier: 'serviceTier' },
};

const AZURE: Dialect = {
  ...PLAIN,
  namespace: 'openai',
  reasoning: 'openai',
  strictSchemas: true,
  maxStops: 4,
  renamed: {
    parallel_tool_calls: 'parallelToolCalls',
    logit_bias: 'logitBias',
    prediction: 'prediction',
    prompt_cache_key: 'promptCacheKey',
    prompt_cache_retention: 'promptCacheRetention',
    safety_identifier: 'safetyIdentifier',
    service_tier: 'serviceTier',
    user: 'user',
    verbosity: 'textVerbosity',
  },
};

/** What the packages for OpenAI-compatible servers share. */
const COMPATIBLE: Omit<Dialect, 'namespace'> = {
  ...PLAIN,
  earlierReasoning: 'text',
  reasoning: 'openai',
  passesUnknown: true,
};

const DIALECTS: Readonly<Record<NativeProviderType, Dialect>> = {
  anthropic: ANTHROPIC,
  google: GOOGLE,
  vertex: { ...GOOGLE, namespace: 'vertex' },
  bedrock: BEDROCK,
  azure: AZURE,
  cohere: { ...PLAIN, namespace: 'cohere', reasoning: 'cohere', maxStops: 5 },
  mistral: {
    ...PLAIN,
    namespace: 'mistral',
    earlierReasoning: 'text',
    reasoning: 'mistral',
    renamed: { parallel_tool_calls: 'parallelToolCalls', safe_prompt: 'safePrompt' },
    strictSchemas: true,
  },
  xai: {
    ...PLAIN,
    namespace: 'xai',
    maxStops: 4,
    reasoning: 'xai',
    renamed: { parallel_tool_calls: 'parallel_function_calling', service_tier: 'serviceTier' },
  },
  groq: {
    ...PLAIN,
    namespace: 'groq',
    maxStops: 4,
    earlierReasoning: 'text',
    reasoning: 'groq',
    renamed: {
      parallel_tool_calls: 'parallelToolCalls',
      reasoning_format: 'reasoningFormat',
      service_tier: 'serviceTier',
      user: 'user',
    },
    strictSchemas: true,
  },
  deepseek: {
    ...PLAIN,
    namespace: 'deepseek',
    maxStops: 16,
    earlierReasoning: 'text',
    reasoning: 'deepseek',
    strictSchemas: true,
  },
  perplexity: {
    ...PLAIN,
    namespace: 'perplexity',
    reasoning: 'field',
    takesTools: false,
    passesUnknown: true,
  },
  together: { ...COMPATIBLE, namespace: 'togetherai', renamed: { user: 'user', verbosity: 'textVerbosity' } },
  fireworks: {
    ...COMPATIBLE,
    namespace: 'fireworks',
    maxStops: 4,
    renamed: {
      user: 'user',
      verbosity: 'textVerbosity',
      prompt_cache_key: 'promptCacheKey',
      service_tier: 'serviceTier',
    },
  },
};

const CLAUDE = /(?:^|[./])claude-/;

/** Whether a model of Vertex AI or Bedrock is Anthropic's. */
export function isClaude(modelId: string): boolean {
  return CLAUDE.test(modelId);
}

/** Vertex AI and Bedrock run models of several makers, so the model decides as well. */
export function dialectOf(type: NativeProviderType, modelId: string): Dialect {
  if (type === 'vertex' && isClaude(modelId)) return ANTHROPIC;
  if (type === 'bedrock' && isClaude(modelId)) return { ...BEDROCK, claude: true };
  return DIALECTS[type];
}
