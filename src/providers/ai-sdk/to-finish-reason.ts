import type { LanguageModelV3FinishReason } from '@ai-sdk/provider';
import type { FinishReason } from '../../operations/chat/chat-completion.js';
import { normaliseFinishReason } from '../../wire/openai-chat/finish-reason.js';

/**
 * One of OpenAI's four; `failed` when the generation ended early; null when the provider gave no reason at all, which is how the
 * packages report a stream that was cut.
 *
 * @param hasToolCalls whether the response calls tools that the client runs: some providers then still say "stop"
 */
export function toFinishReason(
  { unified, raw }: LanguageModelV3FinishReason,
  hasToolCalls: boolean,
): FinishReason | 'failed' | null {
  switch (unified) {
    case 'stop':
      return hasToolCalls ? 'tool_calls' : 'stop';
    case 'tool-calls':
      // Tools that the provider runs itself are none of the client's.
      return hasToolCalls ? 'tool_calls' : 'stop';
    case 'length':
      return 'length';
    case 'content-filter':
      return 'content_filter';
    case 'error':
      return 'failed';
    case 'other': {
      const reason = normaliseFinishReason(raw);
      return reason === 'stop' && hasToolCalls ? 'tool_calls' : reason;
    }
  }
}
