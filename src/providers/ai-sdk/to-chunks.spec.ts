import type { LanguageModelV3StreamPart, LanguageModelV3Usage } from '@ai-sdk/provider';
import type { ChatCompletionChunk, Delta } from '../../operations/chat/chat-completion.js';
import { ChoiceChunks, StreamHead } from './to-chunks.js';

const USAGE: LanguageModelV3Usage = {
  inputTokens: { total: 2, noCache: 2, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 3, text: 3, reasoning: undefined },
};
const FINISH: LanguageModelV3StreamPart = {
  type: 'finish',
  usage: USAGE,
  finishReason: { unified: 'stop', raw: 'stop' },
};

function mapper(index = 0, head = new StreamHead('model-1', 5000)): ChoiceChunks {
  return new ChoiceChunks(index, head, (text) => text);
}

function map(parts: LanguageModelV3StreamPart[], chunks = mapper()): ChatCompletionChunk[] {
  const mapped = parts.flatMap((part) => chunks.push(part));
  chunks.end();
  return mapped;
}

function deltas(parts: LanguageModelV3StreamPart[]): Delta[] {
  return map([...parts, FINISH]).map(({ choices }) => choices[0]!.delta);
}

describe('ChoiceChunks', () => {
  it('has the role in the first delta alone, and the finish in a chunk of its own', () => {
    const chunks = mapper(1);
    expect(
      map(
        [
          { type: 'stream-start', warnings: [] },
          { type: 'response-metadata', id: 'msg_1', modelId: 'model-1-2026', timestamp: new Date(9000) },
          { type: 'text-start', id: '0' },
          { type: 'text-delta', id: '0', delta: 'Hel' },
          { type: 'text-delta', id: '0', delta: '' },
          { type: 'text-delta', id: '0', delta: 'lo' },
          { type: 'text-end', id: '0' },
          { type: 'response-metadata', id: 'msg_2', modelId: 'late' },
          FINISH,
        ],
        chunks,
      ),
    ).toEqual(
      [
        { index: 1, delta: { role: 'assistant', content: 'Hel' }, logprobs: null, finish_reason: null },
        { index: 1, delta: { content: 'lo' }, logprobs: null, finish_reason: null },
        { index: 1, delta: {}, logprobs: null, finish_reason: 'stop' },
      ].map((choice) => ({
        id: 'msg_1',
        object: 'chat.completion.chunk',
        created: 9,
        model: 'model-1-2026',
        choices: [choice],
      })),
    );
    expect(chunks.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 3 });
  });

  it('numbers tool calls, and says id, type and name once', () => {
    expect(
      deltas([
        { type: 'tool-input-start', id: 'a', toolName: 'f' },
        { type: 'tool-input-delta', id: 'a', delta: '{"x":' },
        { type: 'tool-input-start', id: 'b', toolName: 'g' },
        { type: 'tool-input-delta', id: 'a', delta: '1}' },
        { type: 'tool-input-end', id: 'a' },
        { type: 'tool-call', toolCallId: 'a', toolName: 'f', input: '{"x":1}' },
        { type: 'tool-call', toolCallId: 'b', toolName: 'g', input: '{}' },
        { type: 'tool-call', toolCallId: 'c', toolName: 'h', input: '{"y":2}' },
      ]),
    ).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] },
      { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '1}' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
      { tool_calls: [{ index: 2, id: 'c', type: 'function', function: { name: 'h', arguments: '' } }] },
      { tool_calls: [{ index: 2, function: { arguments: '{"y":2}' } }] },
      {},
    ]);
  });

  it('does not show tools that the provider runs itself', () => {
    const chunks = map([
      { type: 'tool-input-start', id: 'a', toolName: 'web_search', providerExecuted: true },
      { type: 'tool-input-delta', id: 'a', delta: '{}' },
      { type: 'tool-call', toolCallId: 'a', toolName: 'web_search', input: '{}', providerExecuted: true },
      { type: 'tool-result', toolCallId: 'a', toolName: 'web_search', result: [] },
      { type: 'text-delta', id: '0', delta: 'found' },
      { ...FINISH, finishReason: { unified: 'tool-calls', raw: 'tool_use' } },
    ]);
    expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([]);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  it('gives reasoning, its signature, sources and pictures', () => {
    expect(
      deltas([
        { type: 'reasoning-start', id: 'r' },
        { type: 'reasoning-delta', id: 'r', delta: 'H' },
        { type: 'reasoning-delta', id: 'r', delta: 'm' },
        { type: 'reasoning-delta', id: 'r', delta: '', providerMetadata: { anthropic: { signature: 'sig' } } },
        { type: 'reasoning-end', id: 'r' },
        { type: 'reasoning-start', id: 's', providerMetadata: { anthropic: { redactedData: 'x' } } },
        { type: 'reasoning-end', id: 's' },
        { type: 'source', sourceType: 'url', id: '1', url: 'https://example.com', title: 'Example' },
        { type: 'source', sourceType: 'document', id: '2', mediaType: 'text/plain', title: 'Paper' },
        { type: 'file', mediaType: 'image/png', data: new Uint8Array([1, 2, 3]) },
        { type: 'file', mediaType: 'audio/wav', data: 'AAAA' },
      ]),
    ).toEqual([
      { role: 'assistant', content: '', reasoning_content: 'H' },
      { reasoning_content: 'm' },
      { thinking_blocks: [{ type: 'thinking', thinking: 'Hm', signature: 'sig' }] },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'x' }] },
      {
        annotations: [
          {
            type: 'url_citation',
            url_citation: { url: 'https://example.com', title: 'Example', start_index: 0, end_index: 0 },
          },
        ],
      },
      { images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AQID' } }] },
      {},
    ]);
  });

  it('gives the signature of a tool call that came after its beginning', () => {
    const providerMetadata = { google: { thoughtSignature: 'sig' } };
    expect(
      deltas([
        { type: 'tool-input-start', id: 'a', toolName: 'f' },
        { type: 'tool-call', toolCallId: 'a', toolName: 'f', input: '{}', providerMetadata },
      ]).at(-2),
    ).toEqual({ tool_calls: [{ index: 0, extra_content: { google: { thought_signature: 'sig' } } }] });
  });

  it('is whole without a word', () => {
    expect(deltas([])).toEqual([{ role: 'assistant', content: '' }, {}]);
  });

  it.each<[string, LanguageModelV3StreamPart[]]>([
    ['without a finish', [{ type: 'text-delta', id: '0', delta: 'Hel' }]],
    ['with a finish that has no reason', [{ ...FINISH, finishReason: { unified: 'other', raw: undefined } }]],
    [
      'whose generation ended early',
      [{ ...FINISH, finishReason: { unified: 'error', raw: 'MALFORMED_FUNCTION_CALL' } }],
    ],
    ['with an error', [{ type: 'error', error: { message: 'x' } }]],
  ])('fails at a stream %s', (_fault, parts) => {
    expect(() => map(parts)).toThrow(expect.objectContaining({ status: 502, retryable: true }) as Error);
  });
});
