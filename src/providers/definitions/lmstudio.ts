import { OPEN_MODEL_QUIRKS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'lmstudio',
  title: 'LM Studio',
  documentation: 'https://lmstudio.ai/docs/developer/openai-compat',
  baseUrl: 'http://127.0.0.1:1234/v1',
  isLocal: true,
  credentials: 'bearer',
  compatible: { quirks: OPEN_MODEL_QUIRKS },
};
