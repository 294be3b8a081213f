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
