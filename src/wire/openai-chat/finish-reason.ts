import type { FinishReason } from '../../operations/chat/chat-completion.js';

/** Other servers' words for OpenAI's, in lower case. */
const KNOWN: Readonly<Record<string, FinishReason | 'failed'>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  function_call: 'function_call',
  tool_call: 'tool_calls',
  tool_use: 'tool_calls',
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  max_length: 'length',
  model_length: 'length',
  safety: 'content_filter',
  recitation: 'content_filter',
  sensitive: 'content_filter',
  refusal: 'content_filter',
  // The generation ended early: vLLM, OpenRouter, DeepSeek, GLM.
  abort: 'failed',
  error: 'failed',
  insufficient_system_resource: 'failed',
  network_error: 'failed',
};

/**
 * One of OpenAI's five, of which `function_call` belongs to the deprecated `functions`; null when the server sent none; `failed`
 * when it reports that the generation ended early. An unknown word means that the model has stopped.
 */
export function normaliseFinishReason(value: unknown): FinishReason | 'failed' | null {
  if (typeof value !== 'string' || value === '' || value === 'null') return null;
  const word = value.toLowerCase();
  return (Object.hasOwn(KNOWN, word) ? KNOWN[word] : undefined) ?? 'stop';
}
