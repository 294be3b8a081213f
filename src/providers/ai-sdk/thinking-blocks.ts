import type { JSONObject, LanguageModelV3ReasoningPart, SharedV3ProviderMetadata } from '@ai-sdk/provider';
import { BEDROCK_TYPE } from '../definitions/bedrock.js';
import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';

/**
 * Claude refuses a tool result whose turn began with thinking unless that thinking is returned with its signature. OpenAI's shape
 * has no field for a signature, so such reasoning is passed in `thinking_blocks`, in Anthropic's own form, beside the plain text in
 * `reasoning_content`. Undefined for reasoning without a signature.
 */
export function toThinkingBlock(text: string, metadata: SharedV3ProviderMetadata | undefined): JSONObject | undefined {
  for (const options of Object.values(metadata ?? {})) {
    const signature = nonEmptyString(options['signature']);
    if (signature !== undefined) return { type: 'thinking', thinking: text, signature };
    const data = nonEmptyString(options['redactedData']);
    if (data !== undefined) return { type: 'redacted_thinking', data };
    // Bedrock has two forms of what it keeps to itself, and wants each back as it came.
    const content = nonEmptyString(options['redactedContent']);
    if (content !== undefined) return { type: 'redacted_thinking', data: content, encoding: BEDROCK_TYPE };
  }
  return undefined;
}

/** The way back: the blocks of an assistant message as parts of a prompt. What is no block is left out. */
export function fromThinkingBlocks(blocks: unknown, namespace: string): LanguageModelV3ReasoningPart[] {
  if (!Array.isArray(blocks)) return [];
  return blocks.filter(isObject).flatMap((block) => fromThinkingBlock(block, namespace) ?? []);
}

function fromThinkingBlock(block: JsonObject, namespace: string): LanguageModelV3ReasoningPart | undefined {
  const signature = nonEmptyString(block['signature']);
  const data = nonEmptyString(block['data']);
  if (block['type'] === 'thinking' && signature !== undefined) {
    const text = typeof block['thinking'] === 'string' ? block['thinking'] : '';
    return { type: 'reasoning', text, providerOptions: { [namespace]: { signature } } };
  }
  if (block['type'] === 'redacted_thinking' && data !== undefined) {
    const options = block['encoding'] === BEDROCK_TYPE ? { redactedContent: data } : { redactedData: data };
    return { type: 'reasoning', text: '', providerOptions: { [namespace]: options } };
  }
  return undefined;
}
