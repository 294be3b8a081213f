import type {
  LanguageModelV3FilePart,
  LanguageModelV3Message,
  LanguageModelV3Prompt,
  LanguageModelV3TextPart,
  LanguageModelV3ToolResultOutput,
  LanguageModelV3ToolResultPart,
} from '@ai-sdk/provider';
import type { ChatMessage, ContentPart } from '../../operations/chat/chat-completion.js';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { nonEmptyString } from '../../runtime/json-value.js';
import { cacheHint } from './cache-hint.js';
import type { Dialect } from './dialect.js';
import { fromThinkingBlocks } from './thinking-blocks.js';
import { toFilePart, toMedia } from './to-file-part.js';
import { legacyCallId, toToolCalls } from './to-tool-calls.js';

type AssistantMessage = Extract<LanguageModelV3Message, { role: 'assistant' }>;
type ToolMessage = Extract<LanguageModelV3Message, { role: 'tool' }>;
type SystemMessage = Extract<LanguageModelV3Message, { role: 'system' }>;

/**
 * OpenAI's messages as the prompt of a language model. Results of parallel tool calls become one message, because
 * providers want them together. Developer messages are system messages; where a provider takes those only at the front,
 * later ones are moved there, which keeps their authority at the price of their place.
 *
 * @throws GatewayError 400 that names the field
 */
export function toPrompt(messages: readonly ChatMessage[], dialect: Dialect): LanguageModelV3Prompt {
  const system: SystemMessage[] = [];
  const prompt: LanguageModelV3Message[] = [];
  const toolNames = new Map<string, string>();
  messages.forEach((message, index) => {
    const path = `messages[${index}]`;
    switch (message.role) {
      case 'system':
      case 'developer': {
        const mapped = toSystem(message, path, dialect);
        (dialect.systemAnywhere ? prompt : system).push(mapped);
        break;
      }
      case 'user': {
        const content = toUserParts(message, path, dialect);
        if (content.length > 0) prompt.push({ role: 'user', content });
        break;
      }
      case 'assistant': {
        const mapped = toAssistant(message, path, dialect, toolNames);
        // A turn without a word, which OpenAI takes, is an error elsewhere.
        if (mapped.content.length > 0) prompt.push(mapped);
        break;
      }
      case 'tool':
      case 'function': {
        const result = toToolResult(message, path, dialect, toolNames);
        if (result === undefined) {
          prompt.push({ role: 'user', content: [toOrphanedResult(message)] });
          break;
        }
        const last = prompt.at(-1);
        if (last?.role === 'tool') last.content.push(result);
        else prompt.push({ role: 'tool', content: [result] } satisfies ToolMessage);
        break;
      }
      default:
        throw unsupportedRole((message as { role: string }).role, path);
    }
  });
  if (prompt.length === 0 && !messages.some(({ role }) => role === 'system' || role === 'developer')) {
    throw invalidRequest(
      "'messages' holds no content. This provider needs at least one message with text.",
      'messages',
    );
  }
  return [...system, ...prompt];
}

function toSystem(message: ChatMessage, path: string, dialect: Dialect): SystemMessage {
  const parts = partsOf(message);
  const content = parts
    .map((part, index) => {
      if (part.type === 'text') return part.text ?? '';
      throw unsupportedPart(part, `${path}.content[${index}]`, message.role);
    })
    .join('\n');
  const providerOptions = cacheHint(message, dialect) ?? lastHint(parts, dialect);
  return { role: 'system', content, ...(providerOptions !== undefined && { providerOptions }) };
}

function lastHint(parts: readonly ContentPart[], dialect: Dialect): ReturnType<typeof cacheHint> {
  return parts.map((part) => cacheHint(part, dialect)).findLast((hint) => hint !== undefined);
}

function toUserParts(
  message: ChatMessage,
  path: string,
  dialect: Dialect,
): (LanguageModelV3TextPart | LanguageModelV3FilePart)[] {
  const parts = partsOf(message);
  return parts.map((part, index) => {
    const mapped = toUserPart(part, `${path}.content[${index}]`);
    const hint = cacheHint(part, dialect) ?? (index === parts.length - 1 ? cacheHint(message, dialect) : undefined);
    return hint === undefined ? mapped : { ...mapped, providerOptions: { ...mapped.providerOptions, ...hint } };
  });
}

function toUserPart(part: ContentPart, path: string): LanguageModelV3TextPart | LanguageModelV3FilePart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text ?? '' };
    case 'image_url':
    case 'input_audio':
    case 'file':
      return toFilePart(part, path);
    default:
      throw unsupportedPart(part, path, 'user');
  }
}

function toAssistant(
  message: ChatMessage,
  path: string,
  dialect: Dialect,
  toolNames: Map<string, string>,
): AssistantMessage {
  const content: AssistantMessage['content'] = toReasoningParts(message, dialect);
  const hint = cacheHint(message, dialect);
  const parts = partsOf(message);
  parts.forEach((part, index) => {
    const thought = toThoughtPart(part, dialect);
    if (thought !== undefined) {
      content.push(thought);
      return;
    }
    const text = part.type === 'refusal' ? part['refusal'] : part.text;
    if (part.type !== 'text' && part.type !== 'refusal') {
      throw unsupportedPart(part, `${path}.content[${index}]`, 'assistant');
    }
    const providerOptions = cacheHint(part, dialect) ?? (index === parts.length - 1 ? hint : undefined);
    // Providers refuse empty text, which clients send beside tool calls.
    if (typeof text === 'string' && text !== '') {
      content.push({ type: 'text', text, ...(providerOptions !== undefined && { providerOptions }) });
    }
  });
  if (parts.length === 0 && typeof message['refusal'] === 'string' && message['refusal'] !== '') {
    content.push({ type: 'text', text: message['refusal'] });
  }
  content.push(...toToolCalls(message, path, dialect, toolNames));
  return { role: 'assistant', content };
}

function toReasoningParts(message: ChatMessage, dialect: Dialect): AssistantMessage['content'] {
  if (dialect.earlierReasoning === 'signed') return fromThinkingBlocks(message['thinking_blocks'], dialect.namespace);
  const text = nonEmptyString(message['reasoning_content']) ?? nonEmptyString(message['reasoning']);
  return dialect.earlierReasoning === 'text' && text !== undefined ? [{ type: 'reasoning', text }] : [];
}

/** A `thinking` part, in which some clients keep the reasoning of a turn; undefined where the provider cannot take it. */
function toThoughtPart(
  part: ContentPart,
  { earlierReasoning, namespace }: Dialect,
): AssistantMessage['content'][number] | undefined {
  if (part.type !== 'thinking' && part.type !== 'redacted_thinking') return undefined;
  if (earlierReasoning === 'signed') return fromThinkingBlocks([part], namespace)[0];
  const text = nonEmptyString(part['thinking']);
  return earlierReasoning === 'text' && text !== undefined ? { type: 'reasoning', text } : undefined;
}

/** @returns undefined when the call to which it is the result is not in the history */
function toToolResult(
  message: ChatMessage,
  path: string,
  dialect: Dialect,
  toolNames: ReadonlyMap<string, string>,
): LanguageModelV3ToolResultPart | undefined {
  const toolCallId = message.tool_call_id ?? legacyCallId(nonEmptyString(message.name) ?? '');
  const toolName = toolNames.get(toolCallId);
  if (toolName === undefined) return undefined;
  const providerOptions = cacheHint(message, dialect) ?? lastHint(partsOf(message), dialect);
  return {
    type: 'tool-result',
    toolCallId,
    toolName,
    output: toOutput(message, path, dialect),
    ...(providerOptions !== undefined && { providerOptions }),
  };
}

/** Clients shorten histories. Providers refuse a result without its call, so it is passed as text. */
function toOrphanedResult(message: ChatMessage): LanguageModelV3TextPart {
  const name = nonEmptyString(message.name);
  const text = partsOf(message)
    .map((part) => part.text ?? `[${part.type}]`)
    .join('\n');
  return { type: 'text', text: `Result of an earlier tool call${name === undefined ? '' : ` of ${name}`}: ${text}` };
}

type OutputPart = Extract<LanguageModelV3ToolResultOutput, { type: 'content' }>['value'][number];

function toOutput(message: ChatMessage, path: string, dialect: Dialect): LanguageModelV3ToolResultOutput {
  const parts = partsOf(message);
  if (parts.every(({ type }) => type === 'text')) {
    return { type: 'text', value: parts.map(({ text }) => text ?? '').join('\n') };
  }
  return {
    type: 'content',
    value: parts.map((part, index): OutputPart => {
      const place = `${path}.content[${index}]`;
      if (part.type === 'text') return { type: 'text', text: part.text ?? '' };
      if (part.type !== 'image_url') throw unsupportedPart(part, place, 'tool');
      const media = toMedia(part['image_url'], `${place}.image_url`);
      if (media.kind === 'data') return { type: 'image-data', data: media.base64, mediaType: media.mediaType };
      // Some packages would fetch the address themselves, from inside the operator's network.
      if (!dialect.toolResultUrls) throw unsupportedPart(part, place, 'tool');
      return { type: 'image-url', url: media.url.href };
    }),
  };
}

function partsOf({ content }: ChatMessage): ContentPart[] {
  if (content === null || content === undefined) return [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function unsupportedRole(role: string, path: string): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `'${path}.role': this provider takes no messages of the role ${role.slice(0, 40)}.`,
    param: `${path}.role`,
  });
}

function unsupportedPart(part: ContentPart, path: string, role: string): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `'${path}': this provider takes no ${part.type.slice(0, 40)} part in a ${role} message.`,
    param: path,
  });
}
