import type { CanonicalBlock, Signature, ThinkingBlock } from '../../operations/chat/canonical/blocks.js';
import { readSignature, writeSignature } from '../../operations/chat/canonical/signature-text.js';
import type { WireName } from '../../operations/chat/canonical/wire-name.js';
import { BEDROCK_TYPE } from '../../providers/definitions/bedrock.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';

/**
 * Claude refuses a tool result whose turn began with thinking unless that thinking is returned with its signature. OpenAI's shape
 * has no field for a signature, so such reasoning is passed in `thinking_blocks`, in Anthropic's own form, beside the plain text in
 * `reasoning_content`. Undefined for reasoning without a signature.
 */
export function writeThinkingBlock({ text, signature, isRedacted }: ThinkingBlock): JsonObject | undefined {
  if (signature === undefined) return undefined;
  if (isRedacted !== true) return { type: 'thinking', thinking: text, signature: ofAnthropic(signature) };
  if (signature.wire === 'bedrock-converse') {
    return { type: 'redacted_thinking', data: signature.value, encoding: BEDROCK_TYPE };
  }
  return { type: 'redacted_thinking', data: ofAnthropic(signature) };
}

/** @returns undefined for what is no block of thinking */
export function readThinkingBlock(block: unknown): ThinkingBlock | undefined {
  if (!isObject(block)) return undefined;
  const text = typeof block['thinking'] === 'string' ? block['thinking'] : '';
  if (block['type'] === 'thinking') {
    const given = nonEmptyString(block['signature']);
    if (given === undefined) return text === '' ? undefined : { type: 'thinking', text };
    return { type: 'thinking', text, signature: readSignature(given, 'anthropic') };
  }
  const data = nonEmptyString(block['data']);
  if (block['type'] !== 'redacted_thinking' || data === undefined) return undefined;
  const wire: WireName = block['encoding'] === BEDROCK_TYPE ? 'bedrock-converse' : 'anthropic';
  return { type: 'thinking', text: '', signature: readSignature(data, wire), isRedacted: true };
}

/** The signature of a tool call, where Google's own OpenAI-compatible endpoint puts it. */
export function readCallSignature(call: unknown): Signature | undefined {
  if (!isObject(call) || !isObject(call['extra_content'])) return undefined;
  const { google } = call['extra_content'];
  const text = isObject(google) ? nonEmptyString(google['thought_signature']) : undefined;
  return text === undefined ? undefined : readSignature(text, 'gemini');
}

/** The member of a tool call that carries its signature; empty without one. */
export function writeCallSignature(signature: Signature | undefined): JsonObject {
  if (signature === undefined) return {};
  return { extra_content: { google: { thought_signature: writeSignature(signature, 'gemini') } } };
}

/** Anthropic's signatures go without a mark: clients knew them before there were others. */
function ofAnthropic(signature: Signature): string {
  return writeSignature(signature, 'anthropic');
}

/** Whether a block is thinking. */
export function isThinking(block: CanonicalBlock): block is ThinkingBlock {
  return block.type === 'thinking';
}
