import { namesOf } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'groq',
  title: 'Groq',
  documentation: 'https://console.groq.com/docs/openai',
  keyVariable: 'GROQ_API_KEY',
  baseUrl: 'https://api.groq.com/openai/v1',
  priceId: 'groq',
  // https://console.groq.com/docs/batch; flex is billed as on demand: https://console.groq.com/docs/flex-processing
  tierFactors: () => ({ batch: 0.5 }),
  catalogueId: 'groq',
  telemetryName: 'groq',
  credentials: 'bearer',
  operations: { media: ['speech', 'transcription'] },
  // https://console.groq.com/docs/batch
  batches: {
    format: 'files-and-batches',
    endpoints: ['/chat/completions'],
    maxLines: 50_000,
    maxBytes: 200 * 1024 * 1024,
  },
  compatible: {
    // A property that it does not know is a 400.
    fields: {
      fields: namesOf(
        'model messages citation_options compound_custom disable_tool_validation documents exclude_domains frequency_penalty function_call functions include_domains include_reasoning max_completion_tokens max_tokens metadata n parallel_tool_calls presence_penalty reasoning_effort reasoning_format response_format search_settings seed service_tier stop store stream stream_options temperature tool_choice tools top_p user',
      ),
      messageFields: {
        system: namesOf('role content'),
        developer: namesOf('role content'),
        user: namesOf('role content'),
        assistant: namesOf('role content tool_calls function_call reasoning'),
        tool: namesOf('role content tool_call_id'),
        function: namesOf('role content name'),
      },
      toolCallFields: namesOf('id type function'),
      maxStops: 4,
    },
  },
};
