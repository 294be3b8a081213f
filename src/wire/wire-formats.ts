import type { WireName } from '../operations/chat/canonical/wire-name.js';
import { ANTHROPIC } from './anthropic/anthropic-wire.js';
import { BEDROCK_CONVERSE } from './bedrock-converse/bedrock-converse-wire.js';
import { COHERE } from './cohere/cohere-wire.js';
import { GEMINI } from './gemini/gemini-wire.js';
import { OPENAI_CHAT } from './openai-chat/openai-chat-wire.js';
import { OPENAI_COMPLETIONS } from './openai-completions/openai-completions-wire.js';
import { OPENAI_RESPONSES } from './openai-responses/openai-responses-wire.js';
import type { ProviderWire } from './wire-format.js';

/** The wire formats that providers speak, by name. */
const FORMATS: { readonly [Name in WireName]?: ProviderWire } = {
  anthropic: ANTHROPIC,
  'bedrock-converse': BEDROCK_CONVERSE,
  cohere: COHERE,
  gemini: GEMINI,
  'openai-chat': OPENAI_CHAT,
  'openai-completions': OPENAI_COMPLETIONS,
  'openai-responses': OPENAI_RESPONSES,
};

/** @throws Error for a format that the gateway does not have, which no definition names */
export function providerWireOf(name: WireName): ProviderWire {
  const format = FORMATS[name];
  if (format === undefined) throw new Error(`There is no wire format ${name}.`);
  return format;
}
