import type { ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'openrouter',
  title: 'OpenRouter',
  documentation: 'https://openrouter.ai/docs/api-reference/chat-completion',
  keyVariable: 'OPENROUTER_API_KEY',
  baseUrl: 'https://openrouter.ai/api/v1',
  hasPublicModelList: true,
  priceId: 'openrouter',
  catalogueId: 'openrouter',
  credentials: 'bearer',
  compatible: {},
};
