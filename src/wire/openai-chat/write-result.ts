import type { CanonicalBlock, ImageBlock } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalChoice, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { AssistantMessage, ChatCompletion, Choice, ToolCall } from '../../operations/chat/chat-completion.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { writeFinish } from './canonical-finish.js';
import { writeUsage } from './canonical-usage.js';
import { createdSeconds, newCompletionId, newToolCallId } from './generated-ids.js';
import { isThinking, writeCallSignature, writeThinkingBlock } from './thinking-blocks.js';

/** Facts that a response does not contain. */
export interface ResultDefaults {
  /** The model of a response that names none. */
  readonly model: string;
  /** Epoch milliseconds, for a response without a date. */
  readonly now: number;
}

/** A result in OpenAI's form. */
export function writeResult(result: CanonicalResult, { model, now }: ResultDefaults): ChatCompletion {
  const { id, created, usage, serviceTier } = result;
  return {
    id: id ?? newCompletionId(),
    object: 'chat.completion',
    created: createdSeconds(created, now),
    model: result.model ?? model,
    choices: result.choices.map(writeChoice),
    ...(usage !== undefined && { usage: writeUsage(usage) }),
    ...(serviceTier !== undefined && { service_tier: serviceTier }),
  };
}

function writeChoice({ blocks, finish, logprobs, extras }: CanonicalChoice, index: number): Choice {
  const calls = blocks.flatMap((block) => (block.type === 'tool_call' ? [writeResultCall(block)] : []));
  const text = textOf(blocks, 'text');
  const refusal = textOf(blocks, 'refusal');
  const thinking = blocks.filter(isThinking);
  const reasoning = thinking.map((block) => block.text).join('');
  const signed = thinking.flatMap((block) => writeThinkingBlock(block) ?? []);
  const images = blocks.flatMap((block) => (block.type === 'image' ? (writeImage(block) ?? []) : []));
  const message: AssistantMessage = {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(signed.length > 0 && { thinking_blocks: signed }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(images.length > 0 && { images }),
    ...annotationsOf(blocks, extras?.['openai-chat']),
  };
  return {
    index,
    message,
    logprobs: logprobs ?? null,
    // A refusal with a text goes into OpenAI's field, and ends as any text does.
    finish_reason: finish === 'refusal' && refusal !== '' ? 'stop' : writeFinish(finish, calls.length > 0),
  };
}

function writeResultCall({ id, name, kind, input, signature }: CanonicalBlock & { type: 'tool_call' }): ToolCall {
  const callId = id === '' ? newToolCallId() : id;
  if (kind === 'custom') return { id: callId, type: 'custom', custom: { name, input } } as unknown as ToolCall;
  return { id: callId, type: 'function', function: { name, arguments: input }, ...writeCallSignature(signature) };
}

/** A picture that the model made, where OpenAI's shape has no place; in the form that OpenRouter gave it. */
export function writeImage({ source }: ImageBlock): JsonObject | undefined {
  if (source.kind === 'url') return { type: 'image_url', image_url: { url: source.url } };
  if (source.kind !== 'base64') return undefined;
  return { type: 'image_url', image_url: { url: `data:${source.mediaType};base64,${source.data}` } };
}

function textOf(blocks: readonly CanonicalBlock[], type: 'text' | 'refusal'): string {
  return blocks.map((block) => (block.type === type ? block.text : '')).join('');
}

/** Citations, where a reader has put them in OpenAI's form. */
function annotationsOf(blocks: readonly CanonicalBlock[], own: Readonly<JsonObject> | undefined): JsonObject {
  const all = [own, ...blocks.map((block) => block.extras?.['openai-chat'])].flatMap((extras) => {
    const annotations: unknown = extras?.['annotations'];
    return Array.isArray(annotations) ? annotations.filter(isObject) : [];
  });
  return all.length > 0 ? { annotations: all } : {};
}
