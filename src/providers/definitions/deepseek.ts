import { OPEN_MODEL_QUIRKS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

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
};
