import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'vllm',
  title: 'vLLM',
  documentation: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
  baseUrl: 'http://127.0.0.1:8000/v1',
  isLocal: true,
  credentials: 'bearer',
  prefill: { form: 'continue' },
  compatible: { quirks: { developerRole: false } },
};
