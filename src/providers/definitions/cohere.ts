import type { ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'cohere',
  title: 'Cohere',
  documentation: 'https://docs.cohere.com/reference/chat',
  keyVariable: 'COHERE_API_KEY',
  baseUrl: 'https://api.cohere.com/v2',
  priceId: 'cohere',
  telemetryName: 'cohere',
  credentials: 'bearer',
  operations: { embeddings: { format: 'cohere-embed' }, rerank: 'cohere-rerank' },
  chat: {
    wire: 'cohere',
    endpoint: () => ({ path: '/chat' }),
    modelList: {
      // The list has stayed where it was when the chat moved on to version 2.
      url: (baseUrl) => `${baseUrl.replace(/\/v2$/, '/v1')}/models?endpoint=chat&page_size=1000`,
      headers: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
    },
  },
};
