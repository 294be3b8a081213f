import { restoreIntegers } from '../../runtime/exact-integers.js';
import type { JSONObject, LanguageModelV3GenerateResult, LanguageModelV3Source } from '@ai-sdk/provider';
import type {
  AssistantMessage,
  ChatCompletion,
  Choice,
  FinishReason,
  ToolCall,
} from '../../operations/chat/chat-completion.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { nonEmptyString } from '../../runtime/json-value.js';
import { createdSeconds, newCompletionId, newToolCallId } from '../../wire/openai-chat/generated-ids.js';
import { toThinkingBlock } from './thinking-blocks.js';
import { toExtraContent } from './thought-signature.js';
import { toFinishReason } from './to-finish-reason.js';
import { sumUsage, toUsage } from './to-usage.js';

export interface CompletionOptions {
  /** The model's id at the provider, for a response that does not name its model. */
  readonly upstreamModel: string;
  /** Epoch milliseconds, for a response without a date. */
  readonly now: number;
}

/**
 * Merges one response per choice into one completion.
 *
 * @throws GatewayError when a response is empty, or reports that its generation ended early
 */
export function toCompletion(
  results: readonly LanguageModelV3GenerateResult[],
  { upstreamModel, now }: CompletionOptions,
): ChatCompletion {
  const response = results[0]?.response;
  const milliseconds = response?.timestamp?.getTime();
  const usage = sumUsage(results.map((result) => toUsage(result.usage)));
  return {
    id: nonEmptyString(response?.id) ?? newCompletionId(),
    object: 'chat.completion',
    created: createdSeconds(milliseconds === undefined ? undefined : milliseconds / 1000, now),
    model: nonEmptyString(response?.modelId) ?? upstreamModel,
    choices: results.map(toChoice),
    ...(usage !== undefined && { usage }),
  };
}

function toChoice({ content, finishReason }: LanguageModelV3GenerateResult, index: number): Choice {
  let text = '';
  let reasoning = '';
  const thinkingBlocks: JSONObject[] = [];
  const annotations: JSONObject[] = [];
  const images: JSONObject[] = [];
  const toolCalls: ToolCall[] = [];
  for (const part of content) {
    switch (part.type) {
      case 'text':
        text += part.text;
        break;
      case 'reasoning': {
        reasoning += part.text;
        const block = toThinkingBlock(part.text, part.providerMetadata);
        if (block !== undefined) thinkingBlocks.push(block);
        break;
      }
      case 'tool-call': {
        if (part.providerExecuted === true) break;
        const extra = toExtraContent(part.providerMetadata);
        toolCalls.push({
          id: nonEmptyString(part.toolCallId) ?? newToolCallId(),
          type: 'function',
          function: { name: part.toolName, arguments: restoreIntegers(part.input) },
          ...(extra !== undefined && { extra_content: extra }),
        });
        break;
      }
      case 'source': {
        const annotation = toAnnotation(part);
        if (annotation !== undefined) annotations.push(annotation);
        break;
      }
      case 'file': {
        const image = toImage(part.mediaType, part.data);
        if (image !== undefined) images.push(image);
        break;
      }
      case 'tool-result':
      case 'tool-approval-request':
        // What a provider does with tools of its own has no place in OpenAI's shape.
        break;
    }
  }
  const hasContent = text !== '' || images.length > 0;
  const message: AssistantMessage = {
    role: 'assistant',
    content: text === '' && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(thinkingBlocks.length > 0 && { thinking_blocks: thinkingBlocks }),
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
    ...(annotations.length > 0 && { annotations }),
    ...(images.length > 0 && { images }),
  };
  const reason = toFinishReason(finishReason, toolCalls.length > 0);
  return { index, message, logprobs: null, finish_reason: wholeReason(reason, hasContent, toolCalls.length > 0) };
}

/** The response arrived as complete JSON, so it was not cut off: a missing reason can be inferred. */
function wholeReason(reason: FinishReason | 'failed' | null, hasContent: boolean, hasToolCalls: boolean): FinishReason {
  if (reason === 'failed') throw upstreamError({ message: 'The upstream provider broke off the generation.' });
  if (reason !== null) return reason;
  if (hasToolCalls) return 'tool_calls';
  if (hasContent) return 'stop';
  throw upstreamError({ message: 'The upstream provider answered with neither content nor a finish reason.' });
}

/** A source as OpenAI's `url_citation`; the packages do not say which words it stands behind. */
export function toAnnotation(source: LanguageModelV3Source): JSONObject | undefined {
  if (source.sourceType !== 'url') return undefined;
  return {
    type: 'url_citation',
    url_citation: { url: source.url, title: source.title ?? source.url, start_index: 0, end_index: 0 },
  };
}

/** A picture that the model made, where OpenAI's shape has no place; in the form that OpenRouter gave it. */
export function toImage(mediaType: string, data: string | Uint8Array): JSONObject | undefined {
  if (!mediaType.startsWith('image/')) return undefined;
  const base64 = typeof data === 'string' ? data : Buffer.from(data).toString('base64');
  return { type: 'image_url', image_url: { url: `data:${mediaType};base64,${base64}` } };
}
