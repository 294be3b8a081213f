import type { SharedV3Warning } from '@ai-sdk/provider';

/** The packages' names for what OpenAI calls otherwise. */
const NAMES: Readonly<Record<string, string>> = {
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  seed: 'seed',
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  stopSequences: 'stop',
  maxOutputTokens: 'max_tokens',
  responseFormat: 'response_format',
  toolChoice: 'tool_choice',
  'responseFormat JSON schema': 'response_format',
  reasoningEffort: 'reasoning_effort',
  serviceTier: 'service_tier',
};

/** Parameters of the request that a package says it left out. Its other warnings are about no parameter. */
export function droppedByPackage(warnings: readonly SharedV3Warning[]): string[] {
  return warnings.flatMap((warning) =>
    warning.type === 'unsupported' && Object.hasOwn(NAMES, warning.feature) ? (NAMES[warning.feature] ?? []) : [],
  );
}
