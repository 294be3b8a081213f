import { namesOf, OPEN_MODEL_QUIRKS, PLATFORM_FIELDS, RESPONSE_FIELDS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'nvidia',
  title: 'NVIDIA NIM',
  documentation: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
  keyVariable: 'NVIDIA_API_KEY',
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  hasPublicModelList: true,
  credentials: 'bearer',
  operations: { embeddings: { format: 'openai-embeddings' } },
  compatible: {
    quirks: OPEN_MODEL_QUIRKS,
    // NIM validates with closed models: `extra_forbidden`.
    fields: {
      refusedFields: namesOf(`${PLATFORM_FIELDS} user metadata`),
      refusedMessageFields: namesOf(`${RESPONSE_FIELDS} reasoning_content`),
      takesFunctions: false,
      toolCallFields: namesOf('id type function'),
    },
  },
};
