import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { ChatEndpointCall } from './types/chat-format.js';
import type { ProviderDefinition } from './definition.js';

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
  webSearchPrice: googleSearchPrice,
  credentials: 'x-goog-api-key',
  operations: { embeddings: { format: 'gemini-embed' } },
  // https://ai.google.dev/gemini-api/docs/batch-api#technical-details
  batches: {
    format: 'content-batches',
    endpoints: [':generateContent'],
    maxLines: 100_000,
    maxBytes: 2 * 1024 * 1024 * 1024,
  },
  chat: {
    wire: 'gemini',
    endpoint: ({ upstreamModel, isStream }) => ({ path: `/${modelPath(upstreamModel)}${geminiMethod({ isStream })}` }),
    fitBody: fitGeminiBody,
    // https://ai.google.dev/api/tokens
    countTokens: {
      endpoint: ({ upstreamModel }) => ({ path: `/${modelPath(upstreamModel)}:countTokens` }),
      fitBody: (body, { upstreamModel }) => ({
        generateContentRequest: { ...fitGeminiBody(body), model: modelPath(upstreamModel) },
      }),
      read: ({ totalTokens }) => totalTokens,
    },
    modelList: {
      url: (baseUrl) => `${baseUrl}/models?pageSize=1000`,
      headers: (apiKey) => ({ 'x-goog-api-key': apiKey }),
    },
  },
};

/** US dollars: for each grounded response up to Gemini 2.5, later for each question. https://ai.google.dev/gemini-api/docs/pricing */
export function googleSearchPrice(model: string): number {
  return /^gemini-[12]/.test(model) ? 0.035 : 0.014;
}

/** Tuned models have a collection of their own, which is a part of their id. */
export function modelPath(model: string): string {
  return model.includes('/') ? model : `models/${model}`;
}

/** The method of a call in Gemini's URLs. */
export function geminiMethod({ isStream }: Pick<ChatEndpointCall, 'isStream'>): string {
  return isStream ? ':streamGenerateContent?alt=sse' : ':generateContent';
}

/** The URL names the model and says whether to stream. One call is made for each candidate. */
export function fitGeminiBody(body: JsonObject): JsonObject {
  const { model: _model, stream: _stream, ...fields } = body;
  for (const name of ['generationConfig', 'generation_config']) {
    const config = fields[name];
    if (!isObject(config)) continue;
    const { candidateCount: _camel, candidate_count: _snake, ...rest } = config;
    fields[name] = rest;
  }
  return fields;
}
