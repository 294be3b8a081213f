import type { ChatEndpointCall, ChatFormat, ModelListRequest } from './types/chat-format.js';
import type { ProviderDefinition } from './definition.js';

/** The version of the API, which every request names. */
const VERSION = '2023-06-01';

/** Headers that belong to every request; a client of the same format may name another version. */
export function versionHeader({ headers }: Pick<ChatEndpointCall, 'headers'>): Record<string, string> {
  return { 'anthropic-version': headers['anthropic-version'] ?? VERSION };
}

/** The Messages API at its own addresses, here and on Microsoft Foundry. */
export const MESSAGES_CHAT: ChatFormat = {
  wire: 'anthropic',
  endpoint: (call) => ({ path: '/messages', headers: versionHeader(call) }),
  passedHeaders: ['anthropic-beta'],
  responseHeaders: ['anthropic-ratelimit-', 'anthropic-priority-'],
  countTokens: {
    endpoint: (call) => ({ path: '/messages/count_tokens', headers: versionHeader(call) }),
    fitBody: countedBody,
    read: (body) => body['input_tokens'],
  },
};

/** What is counted has no response, and so nothing that is about one. */
const NOT_COUNTED = new Set([
  ...['max_tokens', 'stream', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'metadata', 'service_tier'],
]);

function countedBody(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !NOT_COUNTED.has(name)));
}

const MODEL_LIST: ModelListRequest = {
  url: (baseUrl) => `${baseUrl}/models?limit=1000`,
  headers: (apiKey) => ({ 'x-api-key': apiKey, 'anthropic-version': VERSION }),
};

export const definition: ProviderDefinition = {
  name: 'anthropic',
  title: 'Anthropic',
  documentation: 'https://docs.claude.com/en/api/messages',
  keyVariable: 'ANTHROPIC_API_KEY',
  baseUrl: 'https://api.anthropic.com/v1',
  priceId: 'anthropic',
  // https://docs.claude.com/en/docs/about-claude/pricing#batch-processing; priority capacity has no list price.
  tierFactors: () => ({ batch: 0.5 }),
  // https://docs.claude.com/en/docs/about-claude/pricing#web-search-tool
  webSearchPrice: () => 0.01,
  catalogueId: 'anthropic',
  telemetryName: 'anthropic',
  credentials: 'x-api-key',
  // https://docs.claude.com/en/docs/build-with-claude/batch-processing#batch-limitations
  batches: { format: 'message-batches', endpoints: ['/messages'], maxLines: 100_000, maxBytes: 256 * 1024 * 1024 },
  chat: { ...MESSAGES_CHAT, modelList: MODEL_LIST },
};
