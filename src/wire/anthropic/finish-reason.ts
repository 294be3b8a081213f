import type { FinishReason } from '../../operations/chat/canonical/canonical-result.js';

const FROM_ANTHROPIC: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  compaction: 'stop',
  stop_sequence: 'stop_sequence',
  max_tokens: 'length',
  model_context_window_exceeded: 'context_length',
  tool_use: 'tool_calls',
  refusal: 'refusal',
  pause_turn: 'pause',
};

const TO_ANTHROPIC: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  context_length: 'model_context_window_exceeded',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
};

/**
 * Anthropic's `stop_reason`. One that is unknown, or missing in a whole response, follows from whether the response calls a tool
 * of the client.
 */
export function readStopReason(reason: unknown, hasToolCalls: boolean): FinishReason {
  const known =
    typeof reason === 'string' && Object.hasOwn(FROM_ANTHROPIC, reason) ? FROM_ANTHROPIC[reason] : undefined;
  if (known === undefined) return hasToolCalls ? 'tool_calls' : 'stop';
  // A response that ends with calls of tools which the provider runs itself calls none of the client's.
  if (known === 'tool_calls' && !hasToolCalls) return 'stop';
  return known === 'stop' && hasToolCalls ? 'tool_calls' : known;
}

/** Anthropic's `stop_reason`. */
export function writeStopReason(reason: FinishReason): string {
  return TO_ANTHROPIC[reason];
}
