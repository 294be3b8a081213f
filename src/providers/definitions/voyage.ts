import type { ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'voyage',
  title: 'Voyage AI',
  documentation: 'https://docs.voyageai.com/reference/embeddings-api',
  baseUrl: 'https://api.voyageai.com/v1',
  credentials: 'bearer',
  operations: {
    embeddings: {
      format: 'openai-embeddings',
      rules: {
        accepts: ['input_type', 'truncation', 'output_dimension', 'output_dtype'],
        dimensions: 'output_dimension',
        takesTokens: false,
        encodings: ['base64'],
        maxInputs: 1_000,
      },
    },
    rerank: 'voyage-rerank',
  },
  compatible: {},
};
