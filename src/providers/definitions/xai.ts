import { bearerModelList, PLAIN_DIALECT, type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'xai',
  title: 'xAI',
  documentation: 'https://docs.x.ai/docs/api-reference',
  keyVariable: 'XAI_API_KEY',
  baseUrl: 'https://api.x.ai/v1',
  priceId: 'x-ai',
  catalogueId: 'xai',
  telemetryName: 'x_ai',
  credentials: 'bearer',
  operations: { media: ['images'] },
  compatible: { fields: { takesFunctions: false, maxStops: 4 } },
  native: {
    dialect: {
      ...PLAIN_DIALECT,
      namespace: 'xai',
      maxStops: 4,
      reasoning: 'effort-to-xhigh',
      renamed: { parallel_tool_calls: 'parallel_function_calling', service_tier: 'serviceTier' },
    },
    load: async (settings) => {
      const { createXai } = await import('@ai-sdk/xai');
      const provider = createXai(settings);
      return (modelId) => provider.chat(modelId);
    },
    modelList: bearerModelList,
  },
};
