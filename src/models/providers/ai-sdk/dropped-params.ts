import type { SharedV3Warning } from '@ai-sdk/provider';
import { GatewayError } from '../../../errors/gateway-error.js';

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

/** 400: the client sent `strict_params`, so nothing may be left out in silence. */
export function unsupportedParameter(name: string): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_parameter',
    message: `'${name}' is not supported by this model's provider. Leave it out, or send the request without strict_params.`,
    param: name,
  });
}
