import type { WireName } from '../operations/chat/canonical/wire-name.js';
import { ANTHROPIC } from './anthropic/anthropic-wire.js';
import { OPENAI_CHAT } from './openai-chat/openai-chat-wire.js';
import type { WireFormat } from './wire-format.js';

/** Every wire format of chat, by its name. */
const FORMATS: { readonly [Name in WireName]?: WireFormat } = { 'openai-chat': OPENAI_CHAT, anthropic: ANTHROPIC };

/** @throws Error for a format that the gateway does not have, which no definition and no route names */
export function wireFormatOf(name: WireName): WireFormat {
  const format = FORMATS[name];
  if (format === undefined) throw new Error(`There is no wire format ${name}.`);
  return format;
}
