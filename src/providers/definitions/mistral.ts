import { namesOf, OPEN_MODEL_QUIRKS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'mistral',
  title: 'Mistral',
  documentation: 'https://docs.mistral.ai/api',
  keyVariable: 'MISTRAL_API_KEY',
  baseUrl: 'https://api.mistral.ai/v1',
  priceId: 'mistral',
  // https://docs.mistral.ai/capabilities/batch/
  tierFactors: () => ({ batch: 0.5 }),
  catalogueId: 'mistral',
  telemetryName: 'mistral_ai',
  credentials: 'bearer',
  prefill: { hosts: /(?:^|\.)mistral\.ai$/, form: 'prefix' },
  operations: {
    media: ['transcription'],
    embeddings: {
      format: 'openai-embeddings',
      rules: {
        accepts: ['output_dimension', 'output_dtype'],
        dimensions: 'output_dimension',
        takesTokens: false,
        maxInputs: 128,
        // Mistral allows 16,384; the estimate may be too low by a half.
        maxTokens: 10_000,
      },
    },
    moderations: 'mistral-moderations',
  },
  // https://docs.mistral.ai/capabilities/batch/
  batches: {
    format: 'files-and-jobs',
    endpoints: ['/chat/completions', '/embeddings', '/moderations'],
    maxLines: 1_000_000,
    maxBytes: 512 * 1024 * 1024,
  },
  compatible: {
    quirks: { ...OPEN_MODEL_QUIRKS, streamOptions: false },
    // ChatCompletionRequest and its messages forbid additional properties.
    fields: {
      fields: namesOf(
        'model messages temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort guardrails safe_prompt',
      ),
      renamed: { seed: 'random_seed' },
      messageFields: {
        system: namesOf('role content'),
        user: namesOf('role content'),
        assistant: namesOf('role content tool_calls prefix'),
        tool: namesOf('role content tool_call_id name'),
      },
      callIdLength: 9,
      toolCallFields: namesOf('id type function index'),
      takesFunctions: false,
      refusesEmptyTurns: true,
    },
  },
};
