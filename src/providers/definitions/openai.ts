import type { TierFactors } from '../../runtime/price-tier.js';
import { namesOf } from './types/field-rules.js';
import { type OperationTarget } from './types/connection.js';
import { type ProviderDefinition } from './definition.js';

/** The type of every entry with OpenAI's format, for any server. */
export const OPENAI_TYPE = 'openai';

/** The Responses API of a server that has OpenAI's paths. A query of the base URL belongs to every request. */
export function responsesUrl({ baseUrl }: OperationTarget): string {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/responses`;
  return url.href;
}

/** Headers by which servers of OpenAI's format say how much of their limits is left. */
export const LIMIT_HEADERS: readonly string[] = ['x-ratelimit-'];

/** Models that have the flex tier. Source: https://platform.openai.com/docs/pricing?latest-pricing=flex */
const FLEX_MODELS = /^(?:gpt-5(?!.*(?:chat|codex|pro))|o3(?!-(?:pro|mini|deep))|o4-mini(?!-deep))/;
/** What the priority tier costs, by the first that matches. Source: https://platform.openai.com/docs/pricing?latest-pricing=priority */
const PRIORITY_FACTORS: readonly (readonly [models: RegExp, factor: number])[] = [
  [/^gpt-5-mini/, 1.8],
  [/^gpt-5(?!.*(?:chat|nano|pro))/, 2],
  [/^gpt-4\.1-nano/, 2],
  [/^gpt-4\.1/, 1.75],
  [/^gpt-4o-mini(?!.*(?:audio|realtime|search|transcribe|tts))/, 5 / 3],
  [/^gpt-4o(?!.*(?:audio|realtime|search|transcribe|tts|mini))/, 1.7],
  [/^o3(?!-(?:pro|mini|deep))/, 1.75],
  [/^o4-mini(?!-deep)/, 2 / 1.1],
];

/** https://platform.openai.com/docs/pricing */
function tierFactors(model: string): TierFactors {
  const priority = PRIORITY_FACTORS.find(([models]) => models.test(model))?.[1];
  return {
    batch: 0.5,
    ...(FLEX_MODELS.test(model) && { flex: 0.5 }),
    ...(priority !== undefined && { priority }),
  };
}

const MB = 1024 * 1024;

export const definition: ProviderDefinition = {
  name: OPENAI_TYPE,
  title: 'OpenAI',
  documentation: 'https://platform.openai.com/docs/api-reference',
  keyVariable: 'OPENAI_API_KEY',
  baseUrl: 'https://api.openai.com/v1',
  baseUrlVariable: 'OPENAI_BASE_URL',
  priceId: 'openai',
  tierFactors,
  // Moderations, speech and images: https://platform.openai.com/docs/pricing
  freeModels: /^(?:omni|text)-moderation-/,
  // https://platform.openai.com/docs/pricing#built-in-tools
  webSearchPrice: () => 0.01,
  unitPrices: {
    'tts-1': { charactersPerMillion: 15 },
    'tts-1-hd': { charactersPerMillion: 30 },
    'dall-e-2': {
      images: [{ size: '256x256', perImage: 0.016 }, { size: '512x512', perImage: 0.018 }, { perImage: 0.02 }],
    },
    'dall-e-3': {
      images: [
        { size: '1024x1024', quality: 'hd', perImage: 0.08 },
        { quality: 'hd', perImage: 0.12 },
        { size: '1024x1024', perImage: 0.04 },
        { perImage: 0.08 },
      ],
    },
  },
  catalogueId: 'openai',
  telemetryName: 'openai',
  credentials: 'bearer',
  prefill: { hosts: /(?:^|\.)openai\.com$/, form: 'none' },
  responsesUrl,
  operations: {
    embeddings: { format: 'openai-embeddings' },
    moderations: 'openai-moderations',
    media: ['images', 'speech', 'transcription'],
  },
  // https://platform.openai.com/docs/guides/batch#rate-limits
  batches: {
    format: 'files-and-batches',
    endpoints: ['/chat/completions', '/responses', '/embeddings', '/completions', '/moderations'],
    maxLines: 50_000,
    maxBytes: 200 * MB,
  },
  compatible: {
    quirks: { tokenLimit: 'max_completion_tokens' },
    // OpenAI takes its own responses back; only its limits are here.
    fields: {
      refusedMessageFields: namesOf(
        'thinking_blocks images reasoning_content reasoning reasoning_details provider_specific_fields',
      ),
      toolCallFields: namesOf('id type function custom'),
      maxStops: 4,
    },
    nameIsGeneric: true,
    responseHeaders: LIMIT_HEADERS,
  },
};
