import { OPEN_MODEL_QUIRKS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'llamacpp',
  title: 'llama.cpp',
  documentation: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
  baseUrl: 'http://127.0.0.1:8080/v1',
  isLocal: true,
  credentials: 'bearer',
  compatible: { quirks: OPEN_MODEL_QUIRKS },
};
