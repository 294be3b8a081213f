import { OPEN_MODEL_QUIRKS } from './types/field-rules.js';
import { type ProviderDefinition } from './definition.js';

export const definition: ProviderDefinition = {
  name: 'ollama',
  title: 'Ollama',
  documentation: 'https://docs.ollama.com/openai',
  baseUrl: 'http://127.0.0.1:11434/v1',
  isLocal: true,
  credentials: 'bearer',
  // Its own format, for entries that choose it by `quirks.embeddings`; by default it is called in OpenAI's.
  operations: { embeddings: { format: 'ollama-embed' } },
  compatible: { quirks: OPEN_MODEL_QUIRKS },
};
