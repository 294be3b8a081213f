import { PLAIN_DIALECT, type Dialect, type ProviderDefinition } from './definition.js';

/** Gemini, here and on Vertex AI. */
export const GEMINI_DIALECT: Omit<Dialect, 'namespace'> = {
  ...PLAIN_DIALECT,
  systemAnywhere: false,
  reasoning: 'thinking-config',
  maxStops: 5,
};

export const definition: ProviderDefinition = {
  name: 'gemini',
  type: 'google',
  title: 'Google Gemini',
  documentation: 'https://ai.google.dev/api/generate-content',
  keyVariable: 'GEMINI_API_KEY',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  priceId: 'google',
  catalogueId: 'google',
  telemetryName: 'gcp.gemini',
  credentials: 'x-goog-api-key',
  operations: { embeddings: { format: 'gemini-embed' } },
  native: {
    dialect: { ...GEMINI_DIALECT, namespace: 'google' },
    load: async (settings) => {
      const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
      const provider = createGoogleGenerativeAI(settings);
      return (modelId) => provider.languageModel(modelId);
    },
    modelList: {
      url: (baseUrl) => `${baseUrl}/models?pageSize=1000`,
      headers: (apiKey) => ({ 'x-goog-api-key': apiKey }),
    },
  },
};
