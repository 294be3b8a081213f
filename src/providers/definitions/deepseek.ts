import { bearerModelList, OPEN_MODEL_QUIRKS, PLAIN_DIALECT, type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'deepseek',
  title: 'DeepSeek',
  documentation: 'https://api-docs.deepseek.com/api/create-chat-completion',
  keyVariable: 'DEEPSEEK_API_KEY',
  baseUrl: 'https://api.deepseek.com/v1',
  priceId: 'deepseek',
  catalogueId: 'deepseek',
  telemetryName: 'deepseek',
  credentials: 'bearer',
  compatible: { quirks: OPEN_MODEL_QUIRKS, fields: { takesFunctions: false, maxStops: 16 } },
  native: {
    dialect: {
      ...PLAIN_DIALECT,
      namespace: 'deepseek',
      maxStops: 16,
      earlierReasoning: 'text',
      reasoning: 'thinking-switch',
      strictSchemas: true,
    },
    load: async (settings) => {
      const { createDeepSeek } = await import('@ai-sdk/deepseek');
      const provider = createDeepSeek(settings);
      return (modelId) => provider.languageModel(modelId);
    },
    modelList: bearerModelList,
  },
};
