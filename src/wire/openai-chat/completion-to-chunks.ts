import type { ChatCompletion, ChatCompletionChunk, Delta } from '../../operations/chat/chat-completion.js';

/** A plain response as a stream, for servers that ignore `stream: true`. */
export function completionToChunks(completion: ChatCompletion): ChatCompletionChunk[] {
  const { choices, usage, ...rest } = completion;
  const envelope = { ...rest, object: 'chat.completion.chunk' as const };
  const chunks: ChatCompletionChunk[] = [];
  for (const { message, finish_reason, logprobs, index, ...extras } of choices) {
    const { tool_calls: toolCalls, refusal, ...said } = message;
    const delta: Delta = { ...said };
    if (refusal !== null) delta.refusal = refusal;
    if (toolCalls !== undefined) delta.tool_calls = toolCalls.map((call, position) => ({ ...call, index: position }));
    chunks.push(
      { ...envelope, choices: [{ index, delta, logprobs, finish_reason: null }] },
      { ...envelope, choices: [{ ...extras, index, delta: {}, logprobs: null, finish_reason }] },
    );
  }
  if (usage !== undefined) chunks.push({ ...envelope, choices: [], usage });
  return chunks;
}
