/** The wire formats of chat. Each is written once, in the folder of its name in `src/wire`. */
export const WIRE_NAMES = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic',
  'gemini',
  'bedrock-converse',
  'cohere',
] as const;

export type WireName = (typeof WIRE_NAMES)[number];

/** The wire formats that clients speak; `openai-api` is that of OpenAI's endpoints beside chat. */
export const CLIENT_FORMATS = [
  'openai-api',
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic',
  'gemini',
  'cohere',
] as const;

/** The format of rerank. */
export const RERANK_FORMAT: ClientFormat = 'cohere';

export type ClientFormat = (typeof CLIENT_FORMATS)[number];
