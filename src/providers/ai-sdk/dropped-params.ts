import type { SharedV3Warning } from '@ai-sdk/provider';
import { GatewayError } from '../../errors/gateway-error.js';

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
  tools: 'tools',
  strict: 'tools',
  logprobs: 'logprobs',
  topLogprobs: 'top_logprobs',
  logitBias: 'logit_bias',
  'responseFormat JSON schema': 'response_format',
  reasoningEffort: 'reasoning_effort',
  budgetTokens: 'reasoning_effort',
  serviceTier: 'service_tier',
  promptCacheRetention: 'prompt_cache_retention',
};

/** What a text of a warning is about, by the first that fits. */
const SUBJECTS: readonly (readonly [text: RegExp, name: string])[] = [
  [/cache_?control|cacheControl|cache point/i, 'cache_control'],
  [/tool ?choice/i, 'tool_choice'],
  [/tool ?content|message|content part|conversation|image|audio|video|file|document/i, 'messages'],
  [/parallel ?tool/i, 'parallel_tool_calls'],
  [/thinking|effort|reasoning/i, 'reasoning_effort'],
  [/tool/i, 'tools'],
];

/**
 * Warnings by which nothing of the request is lost: an option was spelled in an old way, a value was sent under the provider's
 * own name for it, or a signature that only the package knows of was missing.
 */
const HARMLESS =
  /is deprecated\. Use|^Replayed .*thoughtSignature|is not a canonical \w+ value|are converted to strings/;
/** The reasoning of earlier turns is of use to the provider that wrote it alone, so that others go without it. */
const EARLIER_REASONING =
  /^(?:sending reasoning content is disabled|unsupported reasoning metadata|(?:non-openai )?reasoning parts? )/i;
const LONGEST_NAME = 100;

/** Parts of the request that a package says it left out. Every warning means that something was lost, unless it is known not to. */
export function droppedByPackage(warnings: readonly SharedV3Warning[]): string[] {
  const names = warnings.flatMap((warning) => {
    const [subject, text] =
      warning.type === 'other' ? [warning.message, warning.message] : [warning.feature, warning.details ?? ''];
    if (HARMLESS.test(text) || EARLIER_REASONING.test(text)) return [];
    return [nameOf(subject)];
  });
  return [...new Set(names)];
}

function nameOf(subject: string): string {
  if (Object.hasOwn(NAMES, subject)) return NAMES[subject] ?? subject;
  const [firstWord = ''] = subject.split(/[\s'`]/, 1);
  if (Object.hasOwn(NAMES, firstWord)) return NAMES[firstWord] ?? subject;
  return SUBJECTS.find(([text]) => text.test(subject))?.[1] ?? subject.slice(0, LONGEST_NAME);
}

/** 400: the request demands a tool call, so a response without one would be invalid. */
export function unsupportedToolChoice(): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_parameter',
    message:
      "'tool_choice' demands a tool call, which this model's provider cannot be made to give. Send tool_choice auto, or use another model.",
    param: 'tool_choice',
  });
}
