import { PLAIN_DIALECT, type ProviderDefinition } from './definition.js';

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
  native: {
    dialect: {
      ...PLAIN_DIALECT,
      namespace: 'perplexity',
      reasoning: 'field',
      takesTools: false,
      passesUnknown: true,
    },
    load: async (settings) => {
      const { createPerplexity } = await import('@ai-sdk/perplexity');
      const provider = createPerplexity(settings);
      return (modelId) => provider.languageModel(modelId);
    },
  },
};
