import { type ProviderDefinition } from './definition.js';

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
};
