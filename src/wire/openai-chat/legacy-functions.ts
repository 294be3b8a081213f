import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatRequest,
  ChunkChoice,
} from '../../operations/chat/chat-completion.js';
import { type ChunkStream, PreserializedChunk, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../../operations/chat/sourced-chunk.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';

type Group = readonly StreamedChunk[];

/**
 * Whether the client speaks the deprecated form: `functions` in, `function_call` out. `tools` takes precedence if both are
 * present.
 */
export function usesFunctions(request: ChatRequest): boolean {
  const functions = request['functions'];
  return Array.isArray(functions) && functions.length > 0 && (request.tools ?? []).length === 0;
}

/** The same request with `tools`, for providers that do not know `functions`; the history's calls and results too. */
export function withTools(request: ChatRequest): ChatRequest {
  const { functions, function_call: choice, ...rest } = request;
  const definitions = Array.isArray(functions) ? functions.filter(isObject) : [];
  return {
    ...rest,
    messages: withToolMessages(request.messages),
    ...(definitions.length > 0 && {
      tools: definitions.map((definition) => ({ type: 'function', function: definition as { name: string } })),
    }),
    ...(choice != null && {
      tool_choice: isObject(choice) ? { type: 'function', function: choice } : (choice as string),
    }),
  };
}

/** Each result belongs to the last call before it. */
function withToolMessages(messages: readonly ChatMessage[]): ChatMessage[] {
  let calls = 0;
  // Nine letters and digits, which is what the strictest servers take for an id.
  const lastId = (): string => `fn${String(calls).padStart(7, '0')}`;
  return messages.map((message) => {
    const { function_call: call, ...rest } = message;
    if (message.role === 'function') return { ...rest, role: 'tool', tool_call_id: lastId() };
    const name = isObject(call) ? nonEmptyString(call['name']) : undefined;
    if (message.role !== 'assistant' || !isObject(call) || name === undefined) return message;
    calls += 1;
    const text = typeof call['arguments'] === 'string' ? call['arguments'] : '{}';
    return { ...rest, tool_calls: [{ id: lastId(), type: 'function', function: { name, arguments: text } }] };
  });
}

/** The first tool call of each choice in the deprecated form, which can contain only one. Changes the completion. */
export function toFunctionCalls(completion: ChatCompletion): ChatCompletion {
  for (const choice of completion.choices) {
    const { message } = choice;
    const called = message.tool_calls?.find((call) => isObject(call.function))?.function;
    if (called === undefined) continue;
    delete message.tool_calls;
    message.function_call = { name: called.name, arguments: called.arguments };
    if (choice.finish_reason === 'tool_calls') choice.finish_reason = 'function_call';
  }
  return completion;
}

/** Converts a stream. */
export function toFunctionCallStream(stream: ChunkStream): ChunkStream {
  return new FunctionCallStream(stream[Symbol.asyncIterator]());
}

/** Not a generator, because `return` on a generator that has not started does nothing, and the upstream call would continue. */
class FunctionCallStream implements AsyncIterableIterator<Group> {
  constructor(private readonly chunks: AsyncIterator<Group>) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Group>> {
    for (;;) {
      const result = await this.chunks.next();
      if (result.done === true) return result;
      const value = result.value.flatMap(toFunctionCallChunks);
      if (value.length > 0) return { done: false, value };
    }
  }

  async return(): Promise<IteratorResult<Group>> {
    return (await this.chunks.return?.()) ?? { done: true, value: undefined };
  }
}

/** @returns nothing for a chunk that only brings a further call */
function toFunctionCallChunks(chunk: StreamedChunk): readonly StreamedChunk[] {
  if (chunk instanceof SourcedChunk) return chunk.chunks.flatMap(toFunctionCallChunks);
  if (chunk instanceof PreserializedChunk || chunk.choices.length === 0) return [chunk];
  const choices = chunk.choices.flatMap((choice) => toFunctionCallChoice(choice) ?? []);
  return choices.length === 0 ? [] : [{ ...chunk, choices } satisfies ChatCompletionChunk];
}

function toFunctionCallChoice(choice: ChunkChoice): ChunkChoice | undefined {
  if (choice.finish_reason === 'tool_calls') return { ...choice, finish_reason: 'function_call' };
  const { tool_calls: calls, ...delta } = choice.delta;
  if (calls === undefined) return choice;
  const first = calls.filter(({ index }) => index === 0).flatMap((call) => call.function ?? []);
  if (first.length > 0) {
    const name = first.find((called) => called.name !== undefined)?.name;
    const text = first.map((called) => called.arguments ?? '').join('');
    return { ...choice, delta: { ...delta, function_call: { ...(name !== undefined && { name }), arguments: text } } };
  }
  return Object.keys(delta).length > 0 ? { ...choice, delta } : undefined;
}
