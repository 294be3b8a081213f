import { namesOf } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'cerebras',
  title: 'Cerebras',
  documentation: 'https://inference-docs.cerebras.ai/resources/openai',
  keyVariable: 'CEREBRAS_API_KEY',
  baseUrl: 'https://api.cerebras.ai/v1',
  priceId: 'cerebras',
  catalogueId: 'cerebras',
  credentials: 'bearer',
  compatible: {
    quirks: { tokenLimit: 'max_completion_tokens', developerRole: false },
    // "not supported and will result in a 400 error if they are supplied"
    fields: {
      fields: namesOf(
        'model messages clear_thinking disable_reasoning logprobs max_completion_tokens max_tokens min_completion_tokens min_tokens n parallel_tool_calls prediction reasoning_effort reasoning_format response_format seed service_tier stop stream stream_options temperature tool_choice tools top_logprobs top_p user',
      ),
      messageFields: {
        system: namesOf('role content name'),
        user: namesOf('role content name'),
        assistant: namesOf('role content name tool_calls reasoning'),
        tool: namesOf('role content tool_call_id name'),
      },
      toolCallFields: namesOf('id type function'),
      takesFunctions: false,
      maxStops: 4,
    },
  },
};
