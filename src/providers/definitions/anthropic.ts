import { PLAIN_DIALECT, type Dialect, type ProviderDefinition } from './definition.js';

/** Claude through the Messages API, here and on Vertex AI. */
export const MESSAGES_DIALECT: Dialect = {
  ...PLAIN_DIALECT,
  namespace: 'anthropic',
  systemAnywhere: false,
  earlierReasoning: 'signed',
  jsonObject: 'instruction',
  cacheHints: 'cache-control',
  reasoning: 'thinking-budget',
  claude: true,
  messagesApi: true,
  toolResultUrls: true,
};

export const definition: ProviderDefinition = {
  name: 'anthropic',
  title: 'Anthropic',
  documentation: 'https://docs.claude.com/en/api/messages',
  keyVariable: 'ANTHROPIC_API_KEY',
  baseUrl: 'https://api.anthropic.com/v1',
  priceId: 'anthropic',
  catalogueId: 'anthropic',
  telemetryName: 'anthropic',
  credentials: 'x-api-key',
  native: {
    dialect: MESSAGES_DIALECT,
    load: async (settings) => {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      const provider = createAnthropic(settings);
      return (modelId) => provider.languageModel(modelId);
    },
    modelList: {
      url: (baseUrl) => `${baseUrl}/models?limit=1000`,
      headers: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' }),
    },
  },
};
