import fc from 'fast-check';
import {
  canonicalRequests,
  canonicalResults,
  PLAIN_SHAPE,
  texts,
  usages,
  type Shape,
} from '../../../test/fixtures/canonical-arbitraries.js';
import { resultToChunks } from '../../operations/chat/canonical/result-to-chunks.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import { parseExact, printExact } from '../../runtime/exact-integers.js';
import { repairHistory } from '../repair-history.js';
import type { ReadContext, Target, WireEvent, WriteContext } from '../wire-format.js';
import { ChunkReader } from './chunk-reader.js';
import { OPENAI_CHAT } from './openai-chat-wire.js';
import { readRequest } from './read-request.js';

const SHAPE: Shape = {
  ...PLAIN_SHAPE,
  userBlocks: ['text', 'image'],
  cache: true,
  fields: {
    maxOutputTokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }).map((value) => value + 0),
    topP: fc.constantFrom(0.1, 0.9),
    topK: fc.constantFrom(1, 40),
    stop: fc.array(texts, { minLength: 1, maxLength: 4 }),
    seed: fc.nat(),
    parallelToolCalls: fc.boolean(),
    reasoning: fc.constantFrom({ effort: 'low' }, { effort: 'high' }),
    verbosity: fc.constantFrom('low', 'high'),
    promptCacheKey: texts,
    endUser: texts,
    store: fc.boolean(),
  },
};
const TARGET: Target = {
  upstreamModel: 'm',
  client: 'openai-chat',
  traits: { thinkingBlocks: true, cacheHints: true, customTools: true },
};
const READ: ReadContext = { upstreamModel: 'm', redact: (text) => text, now: 1_700_000_000_000 };
const WRITE: WriteContext = {
  model: 'm',
  requestId: 'req',
  now: READ.now,
  request: { model: 'm', messages: [] },
  includesUsage: true,
  estimatedInputTokens: 0,
};

/** As a client or a provider receives it. */
function sent(body: object): Record<string, unknown> {
  return parseExact(printExact(body)) as Record<string, unknown>;
}

describe("OpenAI's chat format", () => {
  it('reads the request that it wrote', () => {
    fc.assert(
      fc.property(canonicalRequests(SHAPE), (request) => {
        const { messages, tools, parallelToolCalls, ...rest } = request;
        const whole = {
          ...rest,
          messages: repairHistory(messages),
          ...(tools !== undefined && { tools, ...(parallelToolCalls !== undefined && { parallelToolCalls }) }),
        };
        const { body, dropped } = OPENAI_CHAT.writeRequest(whole, { ...TARGET, upstreamModel: request.model });
        expect(dropped).toEqual([]);
        expect(OPENAI_CHAT.readRequest(sent(body))).toEqual(whole);
      }),
    );
  });

  it('reads the response that it wrote, whole and in chunks', () => {
    const results = canonicalResults({
      shape: { ...SHAPE, assistantBlocks: ['text'] },
      finishes: ['stop', 'length', 'content_filter'],
      choices: 2,
      usage: usages,
    });
    fc.assert(
      fc.property(results, (result) => {
        const written = OPENAI_CHAT.writeResponse(result, WRITE);
        const read = OPENAI_CHAT.readResponse(sent(written), READ);
        expect(read).toEqual({ ...result, created: 1_700_000_000 });

        const writer = OPENAI_CHAT.writeStream(WRITE);
        const text = writer.write(resultToChunks(result)) + writer.end();
        const reader = new ChunkReader();
        const chunks: CanonicalChunk[] = [];
        for (const event of eventsOf(text)) {
          if (event.data !== '[DONE]') reader.read(JSON.parse(event.data) as ChatCompletionChunk, chunks);
        }
        reader.end(chunks);
        const spoken = (choice: number): string =>
          chunks.map((chunk) => (chunk.type === 'delta' && chunk.choice === choice ? chunk.text : '')).join('');
        result.choices.forEach(({ blocks }, index) => {
          expect(spoken(index)).toBe(
            blocks.map((block) => ('input' in block ? block.input : 'text' in block ? block.text : '')).join(''),
          );
        });
        expect(chunks.at(-1)).toEqual({ type: 'end' });
        expect(chunks.filter(({ type }) => type === 'finish')).toHaveLength(result.choices.length);
        expect(chunks.find(({ type }) => type === 'usage')).toMatchObject({
          usage: { inputTokens: result.usage?.inputTokens },
        });
      }),
    );
  });

  it('opens and closes each block once, in the order of its deltas, however calls are interleaved', () => {
    const reader = new ChunkReader();
    const chunks: CanonicalChunk[] = [];
    const head = { id: 'c', object: 'chat.completion.chunk' as const, created: 1, model: 'm' };
    const deltas: ChatCompletionChunk['choices'][number]['delta'][] = [
      { role: 'assistant', content: '' },
      { reasoning_content: 'hm' },
      { content: 'I look.' },
      { tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x"' } }] },
      { tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } }] },
      { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
    ];
    for (const delta of deltas) reader.read({ ...head, choices: [{ index: 0, delta, finish_reason: null }] }, chunks);
    reader.read({ ...head, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }, chunks);
    reader.end(chunks);
    const open = new Set<number>();
    const kinds: string[] = [];
    for (const chunk of chunks) {
      if (chunk.type === 'block_start') {
        expect(chunk.index).toBe(kinds.length);
        kinds.push(chunk.block.type);
        open.add(chunk.index);
      } else if (chunk.type === 'block_end') expect(open.delete(chunk.index)).toBe(true);
      else if (chunk.type === 'delta') expect(open.has(chunk.index)).toBe(true);
    }
    expect(open.size).toBe(0);
    expect(kinds).toEqual(['thinking', 'text', 'tool_call', 'tool_call']);
  });

  it('gives a tool whose name the provider refuses another, and says which', () => {
    const name = `mcp__${'long'.repeat(20)}`;
    const { body, toolNames } = OPENAI_CHAT.writeRequest(
      {
        model: 'm',
        messages: [
          { role: 'user', blocks: [{ type: 'text', text: 'go' }] },
          {
            role: 'assistant',
            blocks: [{ type: 'tool_call', id: 'x'.repeat(90), name, kind: 'function', input: '{}' }],
          },
          { role: 'tool', blocks: [{ type: 'tool_result', callId: 'x'.repeat(90), kind: 'function', content: [] }] },
        ],
        tools: [
          { type: 'function', name },
          { type: 'function', name: 'read.file' },
        ],
      },
      TARGET,
    );
    const read = readRequest(body as never);
    const [long, dotted] = read.tools ?? [];
    expect(long?.name).toMatch(/^[\w-]{64}$/);
    expect(dotted?.name).toMatch(/^read_file_[0-9a-f]{8}$/);
    expect([...(toolNames ?? [])].map(([, client]) => client)).toEqual([name, 'read.file']);
    expect(read.messages[1]?.blocks[0]).toMatchObject({ type: 'tool_call', name: long?.name });
    const [call, result] = [read.messages[1]?.blocks[0], read.messages[2]?.blocks[0]];
    expect(call?.type === 'tool_call' && call.id.length).toBe(40);
    expect(call?.type === 'tool_call' && result?.type === 'tool_result' && call.id === result.callId).toBe(true);
  });

  it('moves pictures of tool results to a message of the user, behind all results', () => {
    const image = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QQ==' } } as const;
    const { body } = OPENAI_CHAT.writeRequest(
      {
        model: 'm',
        messages: [
          {
            role: 'assistant',
            blocks: [
              { type: 'tool_call', id: 'a', name: 'look', kind: 'function', input: '{}' },
              { type: 'tool_call', id: 'b', name: 'look', kind: 'function', input: '{}' },
            ],
          },
          {
            role: 'tool',
            blocks: [
              { type: 'tool_result', callId: 'a', kind: 'function', content: [image] },
              { type: 'tool_result', callId: 'b', kind: 'function', content: [{ type: 'text', text: 'ok' }] },
            ],
          },
        ],
      },
      TARGET,
    );
    const messages = body['messages'] as { role: string; content: unknown }[];
    expect(messages.map(({ role }) => role)).toEqual(['assistant', 'tool', 'tool', 'user']);
    expect(JSON.stringify(messages[3]?.content)).toContain('data:image/png;base64,QQ==');
  });

  it('leaves out tools that another provider runs, and refuses a request that has no other', () => {
    const hosted = {
      type: 'hosted',
      wire: 'openai-responses',
      name: 'web_search',
      value: { type: 'web_search' },
    } as const;
    const request = {
      model: 'm',
      messages: [{ role: 'user' as const, blocks: [{ type: 'text' as const, text: 'x' }] }],
    };
    const target: Target = { ...TARGET, client: 'openai-responses' };
    const both = OPENAI_CHAT.writeRequest({ ...request, tools: [hosted, { type: 'function', name: 'f' }] }, target);
    expect(both.dropped).toEqual(['tools[0].web_search']);
    expect(both.body['tools']).toHaveLength(1);
    expect(() => OPENAI_CHAT.writeRequest({ ...request, tools: [hosted] }, target)).toThrow(/'web_search'/);
  });
});

function eventsOf(text: string): WireEvent[] {
  return text
    .split('\n\n')
    .flatMap((frame) => (frame.startsWith('data: ') ? [{ event: '', data: frame.slice(6) }] : []));
}
