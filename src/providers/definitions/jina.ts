import type { ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'jina',
  title: 'Jina AI',
  documentation: 'https://api.jina.ai/scalar',
  baseUrl: 'https://api.jina.ai/v1',
  credentials: 'bearer',
  operations: {
    embeddings: { format: 'openai-embeddings', rules: { takesTokens: false, encodings: [] } },
    rerank: 'jina-rerank-objects',
  },
  compatible: {},
};
