import { namesOf, OPEN_MODEL_QUIRKS, PLATFORM_FIELDS, RESPONSE_FIELDS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'together',
  title: 'Together AI',
  documentation: 'https://docs.together.ai/reference/chat-completions-1',
  keyVariable: 'TOGETHER_API_KEY',
  baseUrl: 'https://api.together.xyz/v1',
  priceId: 'together',
  catalogueId: 'togetherai',
  credentials: 'bearer',
  operations: {
    embeddings: { format: 'openai-embeddings' },
    rerank: 'jina-rerank-objects',
    media: ['images', 'speech', 'transcription'],
  },
  compatible: {
    quirks: OPEN_MODEL_QUIRKS,
    fields: {
      refusedFields: namesOf(PLATFORM_FIELDS),
      refusedMessageFields: namesOf(`${RESPONSE_FIELDS} reasoning_content`),
      takesFunctions: false,
      toolCallFields: namesOf('id type function index'),
    },
  },
};
