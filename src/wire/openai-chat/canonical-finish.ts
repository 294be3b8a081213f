import type { FinishReason as CanonicalFinish } from '../../operations/chat/canonical/canonical-result.js';
import type { FinishReason } from '../../operations/chat/chat-completion.js';

/**
 * Servers of open models, and OpenAI where a request names the function, give `stop` for a message with calls, which formats with
 * a reason for calls do not.
 *
 * @param hasRefusal whether the message has OpenAI's `refusal`
 */
export function readFinish(reason: FinishReason, hasRefusal: boolean, hasCalls: boolean): CanonicalFinish {
  if (reason === 'function_call' || (reason === 'stop' && hasCalls)) return 'tool_calls';
  return hasRefusal && reason === 'stop' ? 'refusal' : reason;
}

/** Calls decide, not the provider's finish reason: clients run tools only for `tool_calls`. */
export function writeFinish(reason: CanonicalFinish, hasCalls: boolean): FinishReason {
  switch (reason) {
    case 'tool_calls':
      return hasCalls ? 'tool_calls' : 'stop';
    case 'length':
    case 'context_length':
      return 'length';
    case 'content_filter':
    case 'refusal':
      return 'content_filter';
    case 'stop':
    case 'stop_sequence':
    case 'pause':
      return hasCalls ? 'tool_calls' : 'stop';
  }
}
