import type { CanonicalBlock } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalChoice, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { AssistantMessage, ChatCompletion, Choice } from '../../operations/chat/chat-completion.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { readFinish } from './canonical-finish.js';
import { readUsage } from './canonical-usage.js';
import { argumentsOf, legacyCallId } from './read-messages.js';
import { readMediaPart } from './read-media.js';
import { readCallSignature, readThinkingBlock } from './thinking-blocks.js';

/** @param completion normalised, as every completion within the gateway is */
export function readResult(completion: ChatCompletion): CanonicalResult {
  const usage = readUsage(completion.usage);
  const tier = nonEmptyString(completion['service_tier']);
  return {
    id: completion.id,
    model: completion.model,
    created: completion.created,
    choices: completion.choices.map(readChoice),
    ...(usage !== undefined && { usage }),
    ...(tier !== undefined && { serviceTier: tier }),
  };
}

function readChoice({ message, finish_reason: reason, logprobs }: Choice): CanonicalChoice {
  const annotations = message['annotations'];
  const blocks = readAssistantMessage(message);
  const hasCalls = blocks.some(({ type }) => type === 'tool_call');
  return {
    blocks,
    finish: readFinish(reason, nonEmptyString(message.refusal) !== undefined, hasCalls),
    ...(logprobs != null && { logprobs }),
    ...(Array.isArray(annotations) && annotations.length > 0 && { extras: { 'openai-chat': { annotations } } }),
  };
}

function readAssistantMessage(message: AssistantMessage): CanonicalBlock[] {
  const blocks: CanonicalBlock[] = [];
  const signed = message['thinking_blocks'];
  const thinking = Array.isArray(signed) ? signed.flatMap((block: unknown) => readThinkingBlock(block) ?? []) : [];
  const reasoning = reasoningOf(message);
  if (thinking.length > 0) blocks.push(...thinking);
  else if (reasoning !== '') blocks.push({ type: 'thinking', text: reasoning });
  if (nonEmptyString(message.content) !== undefined) blocks.push({ type: 'text', text: message.content ?? '' });
  const refusal = nonEmptyString(message.refusal);
  if (refusal !== undefined) blocks.push({ type: 'refusal', text: refusal });
  blocks.push(...readImages(message['images']));
  for (const call of message.tool_calls ?? []) {
    const { custom } = call as { custom?: unknown };
    const isCustom = isObject(custom);
    const called = (isCustom ? custom : (call as { function?: unknown }).function) as JsonObject | undefined;
    const signature = readCallSignature(call);
    const text = called?.[isCustom ? 'input' : 'arguments'];
    blocks.push({
      type: 'tool_call',
      id: call.id,
      name: nonEmptyString(called?.['name']) ?? '',
      kind: isCustom ? 'custom' : 'function',
      input: isCustom ? (nonEmptyString(text) ?? '') : argumentsOf(text),
      ...(signature !== undefined && { signature }),
    });
  }
  const { function_call: legacy } = message;
  if (legacy !== undefined && message.tool_calls === undefined) {
    const name = legacy.name ?? '';
    blocks.push({
      type: 'tool_call',
      id: legacyCallId(name),
      name,
      kind: 'function',
      input: argumentsOf(legacy.arguments),
    });
  }
  return blocks;
}

/** The text of thinking: under either of the two names that servers have for it. */
export function reasoningOf(message: Readonly<JsonObject>): string {
  return nonEmptyString(message['reasoning_content']) ?? nonEmptyString(message['reasoning']) ?? '';
}

/** Pictures that the model made, in the form that OpenRouter gave them. What cannot be read is left out. */
export function readImages(images: unknown): CanonicalBlock[] {
  if (!Array.isArray(images)) return [];
  return images.flatMap((image: unknown) => {
    if (!isObject(image)) return [];
    try {
      return readMediaPart({ ...image, type: 'image_url' }, 'images') ?? [];
    } catch {
      return [];
    }
  });
}
