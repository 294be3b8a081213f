import fc from 'fast-check';
import { eventsOf, RECORDED_STREAMS } from '../../../test/fixtures/anthropic-recordings.js';
import { canonicalResults, PLAIN_SHAPE, usages } from '../../../test/fixtures/canonical-arbitraries.js';
import { chunksOf, collect } from '../../../test/fixtures/canonical-streams.js';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { WriteContext } from '../wire-format.js';
import { ANTHROPIC } from './anthropic-wire.js';

const READ = { upstreamModel: 'claude-sonnet-4-5', redact: (text: string) => text, now: 0 };
const WRITE: WriteContext = {
  model: 'smart',
  requestId: 'req_1',
  now: 0,
  request: { model: 'smart', messages: [] },
  includesUsage: true,
  estimatedInputTokens: 7,
};

function readAll(events: readonly unknown[]): CanonicalChunk[] {
  const reader = ANTHROPIC.readStream(READ);
  const chunks: CanonicalChunk[] = [];
  for (const event of events) {
    if (reader.isDone) break;
    reader.read({ event: '', data: JSON.stringify(event) }, chunks);
  }
  reader.end(chunks);
  return chunks;
}

function writeAll(chunks: readonly CanonicalChunk[], groupSize = 1): string {
  const writer = ANTHROPIC.writeStream(WRITE);
  let text = '';
  for (let at = 0; at < chunks.length; at += groupSize) text += writer.write(chunks.slice(at, at + groupSize));
  return text + writer.end();
}

const stream = (name: string) => RECORDED_STREAMS[name] ?? [];

const fault = (members: object) => expect.objectContaining(members) as Error;

describe('streams of the Messages API', () => {
  it('reads recorded streams: text, tools, thinking and its signatures, tools of the provider, usage', () => {
    expect(collect(readAll(stream('text')))).toMatchObject({
      id: 'msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY',
      choices: [{ blocks: [{ type: 'text', text: 'Hello!' }], finish: 'stop' }],
      usage: { inputTokens: 25, outputTokens: 15 },
    });
    expect(collect(readAll(stream('tool use'))).choices[0]).toEqual({
      finish: 'tool_calls',
      blocks: [
        { type: 'text', text: "Okay, let's check the weather:" },
        {
          type: 'tool_call',
          id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6',
          name: 'get_weather',
          kind: 'function',
          input: '{"location": "San Francisco, CA"}',
        },
      ],
    });
    const thinking = collect(readAll(stream('thinking')));
    expect(thinking.usage).toEqual({
      inputTokens: 2068,
      cachedTokens: 1800,
      cacheWriteTokens: 248,
      cacheWrite1hTokens: 100,
      outputTokens: 60,
      reasoningTokens: 40,
    });
    expect(thinking.choices[0]?.blocks).toMatchObject([
      { type: 'thinking', text: '1. 27 * 453\n2. 12231', signature: { wire: 'anthropic' } },
      { type: 'thinking', isRedacted: true, signature: { value: 'EmwKAhgBEgy3va3pzix' } },
      { type: 'text' },
    ]);
    expect(collect(readAll(stream('web search'))).choices[0]?.blocks).toMatchObject([
      { type: 'opaque', name: 'server_tool_use', value: { input: { query: 'weather NYC today' } } },
      { type: 'opaque', name: 'web_search_tool_result' },
      { type: 'text', text: 'It is 18 degrees.' },
    ]);
  });

  it.each(Object.keys(RECORDED_STREAMS))('rule 4: a recorded stream of %s, read and written, says the same', (name) => {
    const chunks = readAll(stream(name));
    const again = readAll(eventsOf(writeAll(chunks)));
    expect(collect(again)).toMatchObject(collect(chunks));
  });

  it('events, blocks and deltas of new types, and what servers leave out, are no failure', () => {
    const [start, ...rest] = stream('text');
    const open = readAll([
      start,
      { type: 'status_update', state: 'working' },
      rest[0],
      { type: 'content_block_delta', index: 0, delta: { type: 'confidence_delta', value: 1 } },
      { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'hologram', depth: 3 } },
      { type: 'content_block_delta', index: 1, delta: { type: 'hologram_delta', layer: 'a' } },
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'a_new_reason' } },
      { type: 'message_stop' },
      { type: 'something_after_the_end' },
    ]);
    expect(collect(open)).toMatchObject({
      choices: [
        {
          finish: 'stop',
          blocks: [
            { type: 'text', text: 'Hi' },
            { type: 'opaque', value: { depth: 3, layer: 'a' } },
          ],
        },
      ],
    });
  });

  it('a stream that is cut before it says how it ended is never a success', () => {
    for (const events of Object.values(RECORDED_STREAMS)) {
      const end = events.findIndex(({ type }) => type === 'message_delta');
      for (let length = 0; length <= end; length += 1) {
        expect(() => readAll(events.slice(0, length))).toThrow(GatewayError);
      }
    }
  });

  it.each([
    ['overloaded_error', 'Overloaded', 503, 'upstream_unavailable'],
    ['rate_limit_error', 'Number of request tokens has exceeded your rate limit', 429, 'rate_limit_exceeded'],
    ['invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum', 400, 'context_length_exceeded'],
    ['api_error', 'Internal server error', 502, 'upstream_error'],
  ])('an error event of the type %s is mapped', (type, message, status, code) => {
    const events = [...stream('text').slice(0, 4), { type: 'error', error: { type, message } }];
    expect(() => readAll(events)).toThrow(fault({ status, code }));
  });

  it('any mutation of a recorded stream is a whole response in order, or a GatewayError', () => {
    const recorded = fc.constantFrom(...Object.values(RECORDED_STREAMS));
    const mutation = fc.record({
      kind: fc.constantFrom('drop', 'repeat', 'swap', 'cut', 'retype', 'unfield'),
      at: fc.nat(30),
      to: fc.nat(30),
    });
    const property = fc.property(recorded, fc.array(mutation, { minLength: 1, maxLength: 3 }), (events, mutations) => {
      let mutated: Record<string, unknown>[] = events.map((event) => ({ ...event }));
      for (const { kind, at, to } of mutations) mutated = mutate(mutated, kind, at % events.length, to % events.length);
      let chunks: CanonicalChunk[];
      try {
        chunks = readAll(mutated);
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
        return;
      }
      // Order is checked by `collect`; a whole response has said how it ended.
      collect(chunks.filter(({ type }) => type !== 'ping'));
      expect(mutated.some(({ type, delta }) => type === 'message_stop' || hasReason(delta))).toBe(true);
    });
    fc.assert(property, { numRuns: 500 });
  });

  const results = canonicalResults({
    shape: { ...PLAIN_SHAPE, wire: 'anthropic', assistantBlocks: ['text', 'thinking'] },
    finishes: ['stop', 'length', 'refusal', 'pause', 'context_length'],
    choices: 1,
    usage: usages,
  });

  it('rules 1 and 2: a written stream begins once, has contiguous blocks, each begun before its deltas, and full usage', () => {
    const law = results.chain((result) =>
      fc.tuple(fc.constant(result), chunksOf(result), fc.integer({ min: 1, max: 9 })),
    );
    fc.assert(
      fc.property(law, ([result, chunks, groupSize]) => {
        const events = eventsOf(writeAll(chunks, groupSize));
        assertOrder(events);
        expect(collect(readAll(events))).toEqual(result);
      }),
    );
  });

  it('rule 1: tool calls that a provider interleaves come one after the other, with all of their input', () => {
    const at = (index: number) => ({ choice: 0, index });
    const call = (index: number) =>
      ({
        type: 'block_start',
        ...at(index),
        block: { type: 'tool_call', id: `c${index}`, name: 'f', kind: 'function' },
      }) as const;
    const events = eventsOf(
      writeAll([
        { type: 'start' },
        call(0),
        { type: 'delta', ...at(0), text: '{"a"' },
        call(1),
        { type: 'delta', ...at(1), text: '{"b"' },
        { type: 'delta', ...at(0), text: ':1}' },
        call(2),
        { type: 'block_end', ...at(1) },
        { type: 'delta', ...at(2), text: '{}' },
        { type: 'block_end', ...at(0) },
        { type: 'block_end', ...at(2) },
        { type: 'finish', choice: 0, reason: 'tool_calls' },
        { type: 'end' },
      ]),
    );
    assertOrder(events);
    const inputs = collect(readAll(events)).choices[0]?.blocks.map((block) => 'input' in block && block.input);
    expect(inputs).toEqual(['{"a":1}', '{"b"', '{}']);
  });

  it('rule 2: message_start has a full usage object, and message_delta the final numbers', () => {
    const usage = { inputTokens: 100, cachedTokens: 60, cacheWriteTokens: 30, cacheWrite1hTokens: 10, outputTokens: 9 };
    const events = eventsOf(
      writeAll([
        { type: 'start' },
        { type: 'finish', choice: 0, reason: 'stop' },
        { type: 'usage', usage },
        { type: 'end' },
      ]),
    );
    expect(events[0]).toMatchObject({
      message: {
        usage: { input_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
      },
    });
    expect(events.find(({ type }) => type === 'message_delta')).toMatchObject({
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 30,
        cache_read_input_tokens: 60,
        cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 },
        output_tokens: 9,
      },
    });
  });

  it('rules 3 and 10: a ping before anything else, and an error event with the id of the request', () => {
    const writer = ANTHROPIC.writeStream(WRITE);
    expect(writer.ping()).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    expect(writer.error(upstreamError({ message: 'broken' }))).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"broken"},"request_id":"req_1"}\n\n',
    );
  });

  it('rule 4: signatures of other providers come back with what they sign', () => {
    const at = (index: number) => ({ choice: 0, index });
    const sign = (index: number, value: string, wire: 'gemini' | 'openai-responses' = 'gemini') =>
      ({ type: 'signature', ...at(index), signature: { wire, value } }) as const;
    const chunks: CanonicalChunk[] = [
      { type: 'start' },
      { type: 'block_start', ...at(0), block: { type: 'thinking' } },
      { type: 'delta', ...at(0), text: 'hm' },
      sign(0, 'enc', 'openai-responses'),
      { type: 'block_end', ...at(0) },
      { type: 'block_start', ...at(1), block: { type: 'tool_call', id: 'a', name: 'f', kind: 'function' } },
      { type: 'delta', ...at(1), text: '{}' },
      sign(1, 'c2ln'),
      { type: 'block_end', ...at(1) },
      { type: 'block_start', ...at(2), block: { type: 'text' } },
      { type: 'delta', ...at(2), text: 'done' },
      sign(2, 'dGV4dA=='),
      { type: 'block_end', ...at(2) },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
      { type: 'end' },
    ];
    const message = messageOf(eventsOf(writeAll(chunks, chunks.length)));
    const request = ANTHROPIC.readRequest({ model: 'm', messages: [{ role: 'assistant', content: message }] });
    expect(request.messages[0]?.blocks).toEqual([
      { type: 'thinking', text: 'hm', signature: { wire: 'openai-responses', value: 'enc' } },
      {
        type: 'tool_call',
        id: 'a',
        name: 'f',
        kind: 'function',
        input: '{}',
        signature: { wire: 'gemini', value: 'c2ln' },
      },
      { type: 'text', text: 'done', signature: { wire: 'gemini', value: 'dGV4dA==' } },
    ]);
  });

  it('rule 12: ids of tool calls of another alphabet become ids that Anthropic takes, the same each time', () => {
    const call = {
      type: 'tool_call',
      id: 'functions.get_weather:0',
      name: 'f',
      kind: 'function',
      input: '{}',
    } as const;
    const result: CanonicalResult = { choices: [{ blocks: [call], finish: 'tool_calls' }] };
    const ids = [1, 2].map(() => JSON.stringify(ANTHROPIC.writeResponse(result, WRITE)['content']));
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/"id":"[a-zA-Z0-9_-]+"/);
  });
});

function hasReason(delta: unknown): boolean {
  return typeof delta === 'object' && delta !== null && 'stop_reason' in delta && typeof delta.stop_reason === 'string';
}

function mutate(events: Record<string, unknown>[], kind: string, at: number, to: number): Record<string, unknown>[] {
  const event = events[at];
  if (event === undefined) return events;
  switch (kind) {
    case 'drop':
      return events.toSpliced(at, 1);
    case 'repeat':
      return events.toSpliced(to, 0, event);
    case 'swap':
      return events.toSpliced(at, 1).toSpliced(to, 0, event);
    case 'cut':
      return events.slice(0, at);
    case 'retype':
      return events.with(at, { ...event, type: 'unknown' });
    default: {
      const fields = Object.entries(event).filter(
        ([name]) => name !== Object.keys(event)[to % Object.keys(event).length],
      );
      return events.with(at, Object.fromEntries(fields));
    }
  }
}

function assertOrder(events: readonly Record<string, unknown>[]): void {
  const types = events.map(({ type }) => type).filter((type) => type !== 'ping');
  expect(types.indexOf('message_start')).toBe(0);
  expect(types.lastIndexOf('message_start')).toBe(0);
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
  let next = 0;
  let open: unknown;
  for (const { type, index } of events) {
    if (type === 'content_block_start') {
      expect([open, index]).toEqual([undefined, next]);
      open = index;
    } else if (type === 'content_block_delta') {
      expect(index).toBe(open);
    } else if (type === 'content_block_stop') {
      expect(index).toBe(open);
      open = undefined;
      next += 1;
    }
  }
  expect(open).toBeUndefined();
}

/** The content of the message as the SDK collects it. */
function messageOf(events: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const content: Record<string, unknown>[] = [];
  for (const event of events) {
    const last = content.at(-1) ?? {};
    if (event['type'] === 'content_block_start') content.push({ ...(event['content_block'] as object) });
    if (event['type'] !== 'content_block_delta') continue;
    const { type: _type, ...delta } = event['delta'] as Record<string, string>;
    for (const [name, value] of Object.entries(delta)) {
      const member = name === 'partial_json' ? 'input' : name;
      last[member] = `${typeof last[member] === 'string' ? last[member] : ''}${value}`;
    }
  }
  return content;
}
