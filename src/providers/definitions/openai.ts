import { namesOf, type ProviderDefinition } from './definition.js';

/** The type of every entry that speaks OpenAI's format, whichever server it is. */
export const OPENAI_TYPE = 'openai';

export const definition: ProviderDefinition = {
  name: OPENAI_TYPE,
  title: 'OpenAI',
  documentation: 'https://platform.openai.com/docs/api-reference',
  keyVariable: 'OPENAI_API_KEY',
  baseUrl: 'https://api.openai.com/v1',
  baseUrlVariable: 'OPENAI_BASE_URL',
  priceId: 'openai',
  // Moderations: https://platform.openai.com/docs/pricing
  freeModels: /^(?:omni|text)-moderation-/,
  catalogueId: 'openai',
  telemetryName: 'openai',
  credentials: 'bearer',
  operations: {
    embeddings: { format: 'openai-embeddings' },
    moderations: 'openai-moderations',
    media: ['images', 'speech', 'transcription'],
  },
  compatible: {
    quirks: { tokenLimit: 'max_completion_tokens' },
    // OpenAI takes its own responses back; only its limits are here.
    fields: {
      refusedMessageFields: namesOf(
        'thinking_blocks images reasoning_content reasoning reasoning_details provider_specific_fields',
      ),
      toolCallFields: namesOf('id type function custom'),
      maxStops: 4,
    },
    nameIsGeneric: true,
  },
};
