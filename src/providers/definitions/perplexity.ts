import { namesOf } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'perplexity',
  title: 'Perplexity',
  documentation: 'https://docs.perplexity.ai/api-reference/chat-completions-post',
  keyVariable: 'PERPLEXITY_API_KEY',
  baseUrl: 'https://api.perplexity.ai',
  priceId: 'perplexity',
  catalogueId: 'perplexity',
  telemetryName: 'perplexity',
  credentials: 'bearer',
  compatible: {
    quirks: { tokenLimit: 'max_tokens' },
    fields: { refusedFields: namesOf('tools tool_choice parallel_tool_calls'), takesFunctions: false },
    hasModelList: false,
  },
};
