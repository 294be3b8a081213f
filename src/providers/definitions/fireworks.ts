import { namesOf, OPEN_MODEL_QUIRKS, RESPONSE_FIELDS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'fireworks',
  title: 'Fireworks AI',
  documentation: 'https://docs.fireworks.ai/api-reference/post-chatcompletions',
  keyVariable: 'FIREWORKS_API_KEY',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  priceId: 'fireworks',
  catalogueId: 'fireworks-ai',
  credentials: 'bearer',
  operations: { embeddings: { format: 'openai-embeddings' }, rerank: 'jina-rerank-objects' },
  compatible: {
    quirks: OPEN_MODEL_QUIRKS,
    // Its errors say "Extra inputs are not permitted". It takes reasoning_content back, and has tiers and cache keys.
    fields: {
      refusedFields: namesOf(
        'store safety_identifier prompt_cache_retention verbosity web_search_options modalities audio strict',
      ),
      refusedMessageFields: namesOf(RESPONSE_FIELDS),
      takesFunctions: false,
      toolCallFields: namesOf('id type function index'),
      maxStops: 4,
    },
  },
};
