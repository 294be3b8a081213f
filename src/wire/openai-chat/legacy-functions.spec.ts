import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from '../../operations/chat/chat-completion.js';
import { toChunks } from '../../operations/chat/preserialized-chunk.js';
import { toFunctionCalls, toFunctionCallStream, usesFunctions, withTools } from './legacy-functions.js';

const LOOKUP = { name: 'lookup', parameters: { type: 'object' } };
const HEAD = { id: 'c', object: 'chat.completion.chunk' as const, created: 1, model: 'm' };

async function streamed(deltas: ChatCompletionChunk['choices'][number]['delta'][]): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = [
    ...deltas.map((delta) => ({ ...HEAD, choices: [{ index: 0, delta, finish_reason: null }] })),
    { ...HEAD, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' as const }] },
    { ...HEAD, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
  ];
  async function* groups() {
    for (const chunk of chunks) yield await Promise.resolve([chunk]);
  }
  const found: ChatCompletionChunk[] = [];
  for await (const group of toFunctionCallStream(groups())) found.push(...toChunks(group));
  return found;
}

describe('the deprecated functions', () => {
  it.each<[Partial<ChatRequest>, boolean]>([
    [{ functions: [LOOKUP] }, true],
    [{ functions: [] }, false],
    [{ functions: [LOOKUP], tools: [{ type: 'function', function: LOOKUP }] }, false],
    [{}, false],
  ])('are used by %j: %s', (fields, expected) => {
    expect(usesFunctions({ model: 'm', messages: [], ...fields })).toBe(expected);
  });

  it('become tools, with ids that join calls and results', () => {
    const request: ChatRequest = {
      model: 'm',
      messages: [
        { role: 'user', content: 'A?' },
        { role: 'assistant', content: null, function_call: { name: 'lookup', arguments: '{"a":1}' } },
        { role: 'function', name: 'lookup', content: '1' },
        { role: 'assistant', content: null, function_call: { name: 'lookup', arguments: '{"b":2}' } },
        { role: 'function', name: 'lookup', content: '2' },
      ],
      functions: [LOOKUP],
      function_call: { name: 'lookup' },
    };
    const before = structuredClone(request);
    const call = (id: string, text: string) => ({
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'lookup', arguments: text } }],
    });
    expect(withTools(request)).toEqual({
      model: 'm',
      messages: [
        { role: 'user', content: 'A?' },
        call('fn0000001', '{"a":1}'),
        { role: 'tool', name: 'lookup', content: '1', tool_call_id: 'fn0000001' },
        call('fn0000002', '{"b":2}'),
        { role: 'tool', name: 'lookup', content: '2', tool_call_id: 'fn0000002' },
      ],
      tools: [{ type: 'function', function: LOOKUP }],
      tool_choice: { type: 'function', function: { name: 'lookup' } },
    });
    expect(request).toEqual(before);
    expect(withTools({ ...request, function_call: 'none' }).tool_choice).toBe('none');
  });

  it('are answered with a function_call', () => {
    const called = { name: 'lookup', arguments: '{"a":1}' };
    const completion = {
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: null, refusal: null, tool_calls: [{ id: 'c', function: called }] },
          finish_reason: 'tool_calls',
        },
        { index: 1, message: { role: 'assistant', content: 'No.', refusal: null }, finish_reason: 'stop' },
      ],
    } as unknown as ChatCompletion;
    expect(toFunctionCalls(completion).choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: null, function_call: called },
        finish_reason: 'function_call',
      },
      { index: 1, message: { role: 'assistant', content: 'No.', refusal: null }, finish_reason: 'stop' },
    ]);
  });

  it('are answered with pieces of one function_call in a stream', async () => {
    const chunks = await streamed([
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'lookup', arguments: '' } }],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
      { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'other', arguments: '{}' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
    ]);
    expect(chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))).toEqual([
      { role: 'assistant', content: null, function_call: { name: 'lookup', arguments: '' } },
      { function_call: { arguments: '{"a"' } },
      { function_call: { arguments: ':1}' } },
      {},
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('function_call');
    expect(chunks.at(-1)?.usage).toBeDefined();
  });
});
