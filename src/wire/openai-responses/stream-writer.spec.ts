import { GatewayError, rateLimitExceeded, upstreamError } from '../../errors/gateway-error.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { type JsonObject } from '../../runtime/json-value.js';
import { SseParser } from '../sse/sse-parser.js';
import type { WriteContext } from '../wire-format.js';
import { readCompaction } from './compaction.js';
import { OPENAI_RESPONSES } from './openai-responses-wire.js';
import { readRequest } from './read-request.js';

const contextOf = (body: JsonObject = {}): WriteContext => ({
  model: 'm',
  requestId: 'req_1',
  now: 1_700_000_000_000,
  request: readRequest({ model: 'm', input: 'x', ...body }),
  includesUsage: true,
  estimatedInputTokens: 3,
});

interface Event extends JsonObject {
  readonly type: string;
  readonly event: string;
  readonly sequence_number: number;
}

function eventsOf(frames: string): Event[] {
  return new SseParser()
    .push(Buffer.from(frames))
    .map(({ event, data }) => ({ ...(JSON.parse(data) as JsonObject), event }) as Event);
}

function written(chunks: readonly CanonicalChunk[], body: JsonObject = {}): Event[] {
  const writer = OPENAI_RESPONSES.writeStream(contextOf(body));
  return eventsOf(writer.write(chunks) + writer.end());
}

const start: CanonicalChunk = { type: 'start', id: 'x', model: 'upstream-model' };
const at = (index: number): { choice: number; index: number } => ({ choice: 0, index });
const usage: CanonicalChunk = {
  type: 'usage',
  usage: { inputTokens: 12, cachedTokens: 4, outputTokens: 5, reasoningTokens: 2 },
};
const call = (
  index: number,
  name: string,
  input: string,
  kind: 'function' | 'custom' = 'function',
): CanonicalChunk[] => [
  { type: 'block_start', ...at(index), block: { type: 'tool_call', id: `call_${index}`, name, kind } },
  { type: 'delta', ...at(index), text: input.slice(0, 3) },
  { type: 'delta', ...at(index), text: input.slice(3) },
  { type: 'block_end', ...at(index) },
];
const text = (index: number, value: string): CanonicalChunk[] => [
  { type: 'block_start', ...at(index), block: { type: 'text' } },
  { type: 'delta', ...at(index), text: value },
  { type: 'block_end', ...at(index) },
];
const done = (reason: 'stop' | 'tool_calls' | 'length' | 'content_filter'): CanonicalChunk[] => [
  { type: 'finish', choice: 0, reason },
  usage,
  { type: 'end' },
];
const lastItem = (events: readonly Event[]): JsonObject =>
  ((events.at(-1)?.['response'] as JsonObject)['output'] as JsonObject[]).at(-1) ?? {};

describe('rule 15: events of a stream', () => {
  const events = written([
    start,
    { type: 'block_start', ...at(0), block: { type: 'thinking' } },
    { type: 'delta', ...at(0), text: 'hm' },
    { type: 'block_end', ...at(0) },
    ...text(1, 'Hello'),
    ...call(2, 'f', '{"a":1}'),
    ...done('tool_calls'),
  ]);

  it('come in the order in which OpenAI sends them', () => {
    expect(events.map(({ type }) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
  });

  it('have a line with their name, the type in the data, and a number each', () => {
    events.forEach((event, index) => {
      expect(event.event).toBe(event.type);
      expect(event.sequence_number).toBe(index);
    });
  });

  it('begin items with empty lists, never null, and repeat the whole text at the end', () => {
    const added = events.filter(({ type }) => type === 'response.output_item.added').map(({ item }) => item);
    expect(added).toMatchObject([
      { type: 'reasoning', summary: [] },
      { type: 'message', status: 'in_progress', content: [] },
      { type: 'function_call', status: 'in_progress', arguments: '', name: 'f', call_id: 'call_2' },
    ]);
    expect(events.find(({ type }) => type === 'response.output_text.done')).toMatchObject({
      text: 'Hello',
      logprobs: [],
    });
    expect(events.find(({ type }) => type === 'response.function_call_arguments.done')).toMatchObject({
      arguments: '{"a":1}',
      name: 'f',
    });
  });

  it('end with the whole output and the usage, and items have the same ids everywhere', () => {
    const response = events.at(-1)?.['response'] as JsonObject;
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      model: 'upstream-model',
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 17,
      },
    });
    const finished = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
    expect(response['output']).toEqual(finished);
    for (const event of events) {
      if (event['item_id'] === undefined) continue;
      expect((finished[event['output_index'] as number] as JsonObject)['id']).toBe(event['item_id']);
    }
  });

  it.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ] as const)('%s is incomplete', (reason, details) => {
    const last = written([start, ...text(0, 'cut'), ...done(reason)]).at(-1);
    expect(last).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: details }, output: [{ status: 'incomplete' }] },
    });
  });

  it('a stream without a beginning or without blocks is whole all the same', () => {
    expect(written([...done('stop')]).map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.completed',
    ]);
    const writer = OPENAI_RESPONSES.writeStream(contextOf());
    expect(writer.ping()).toMatch(/^:/);
    expect(eventsOf(writer.ping())).toEqual([]);
  });

  it('parallel calls that a provider interleaves keep their own arguments', () => {
    const [first, second] = [call(0, 'f', '{"a":1}'), call(1, 'g', '{"b":2}')];
    const mixed = first.flatMap((chunk, index) => [chunk, second[index]!]);
    const response = written([start, ...mixed, ...done('tool_calls')]).at(-1)?.['response'] as JsonObject;
    expect(response['output']).toMatchObject([
      { name: 'f', arguments: '{"a":1}' },
      { name: 'g', arguments: '{"b":2}' },
    ]);
  });

  it('a call without arguments has an empty object', () => {
    const events_ = written([start, ...call(0, 'f', ''), ...done('tool_calls')]);
    expect(lastItem(events_)).toMatchObject({ arguments: '{}' });
    const deltas = events_.filter(({ type }) => type === 'response.function_call_arguments.delta');
    expect(deltas.map(({ delta }) => delta).join('')).toBe('{}');
  });
});

describe('rule 16: a stream that failed', () => {
  const failed = (error: GatewayError): Event | undefined => {
    const writer = OPENAI_RESPONSES.writeStream(contextOf());
    return eventsOf(writer.write([start, ...text(0, 'half').slice(0, 2)]) + writer.error(error) + writer.end()).at(-1);
  };

  it.each<[GatewayError, string, RegExp]>([
    [
      new GatewayError({ status: 400, type: 'x', code: 'context_length_exceeded', message: 'too long' }),
      'context_length_exceeded',
      /too long/,
    ],
    [
      new GatewayError({ status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'spent' }),
      'insufficient_quota',
      /spent/,
    ],
    [rateLimitExceeded({ message: 'Slow down.', retryAfterMs: 2_500 }), 'rate_limit_exceeded', /try again in 3s\b/],
    [rateLimitExceeded({ message: 'Slow down.', retryAfterMs: undefined }), 'rate_limit_exceeded', /^Slow down\.$/],
    [upstreamError({ message: 'broken' }), 'server_error', /broken/],
  ])('%s', (error, code, message) => {
    const event = failed(error);
    expect(event).toMatchObject({
      type: 'response.failed',
      response: {
        status: 'failed',
        error: { code, message: expect.stringMatching(message) as string },
        output: [{ type: 'message', status: 'incomplete', content: [{ text: 'half' }] }],
      },
    });
  });

  it('begins the response where nothing was sent before', () => {
    const writer = OPENAI_RESPONSES.writeStream(contextOf());
    expect(eventsOf(writer.error(upstreamError({ message: 'x' }))).map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.failed',
    ]);
  });
});

describe('rule 19: calls are items of the tool that the client has', () => {
  const custom = {
    tools: [{ type: 'custom', name: 'apply_patch', format: { type: 'grammar', syntax: 'lark', definition: 'x' } }],
  };
  const patch = '*** Begin Patch\n"é"';

  it.each([
    ['a custom call', patch, 'custom' as const],
    ['a function with one argument', JSON.stringify({ input: patch }), 'function' as const],
  ])('free text of a custom tool, from %s', (_name, input, kind) => {
    const events = written([start, ...call(0, 'apply_patch', input, kind), ...done('tool_calls')], custom);
    expect(lastItem(events)).toMatchObject({
      type: 'custom_tool_call',
      name: 'apply_patch',
      call_id: 'call_0',
      input: patch,
    });
    const deltas = events.filter(({ type }) => type === 'response.custom_tool_call_input.delta');
    expect(deltas.map(({ delta }) => delta).join('')).toBe(patch);
    expect(events.find(({ type }) => type === 'response.custom_tool_call_input.done')).toMatchObject({ input: patch });
  });

  it.each(['multi_agent__close', 'close'])('a tool of a namespace that the model calls %s', (name) => {
    const body = {
      tools: [
        { type: 'namespace', name: 'multi_agent', description: 'x', tools: [{ type: 'function', name: 'close' }] },
      ],
    };
    expect(lastItem(written([start, ...call(0, name, '{}'), ...done('tool_calls')], body))).toMatchObject({
      type: 'function_call',
      name: 'close',
      namespace: 'multi_agent',
    });
  });

  it.each<[string, string, JsonObject]>([
    [
      'local_shell',
      '{"command":["ls","-l"]}',
      { type: 'local_shell_call', action: { type: 'exec', command: ['ls', '-l'], env: {} } },
    ],
    ['shell', '{"commands":["pwd"]}', { type: 'shell_call', action: { commands: ['pwd'], timeout_ms: null } }],
    [
      'apply_patch',
      '{"type":"delete_file","path":"a"}',
      { type: 'apply_patch_call', operation: { type: 'delete_file', path: 'a' } },
    ],
  ])('%s', (type, input, item) => {
    const events = written([start, ...call(0, type, input), ...done('tool_calls')], { tools: [{ type }] });
    expect(lastItem(events)).toMatchObject({ ...item, call_id: 'call_0', status: 'completed' });
  });

  it('rule 4: a signature of a call stands beside it, and is read back onto it', () => {
    const signature = { wire: 'gemini', value: 'c2ln' } as const;
    const signed = call(0, 'f', '{}');
    for (const place of [1, 3]) {
      const chunks = signed.toSpliced(place, 0, { type: 'signature', ...at(0), signature });
      const writer = OPENAI_RESPONSES.writeStream(contextOf());
      const frames = [start, ...chunks, ...done('tool_calls')].map((chunk) => writer.write([chunk])).join('');
      const { output } = eventsOf(frames + writer.end()).at(-1)?.['response'] as { output: JsonObject[] };
      const [, turn] = readRequest({ model: 'm', input: [{ role: 'user', content: 'x' }, ...output] }).messages;
      expect(turn?.blocks).toMatchObject([{ type: 'tool_call', name: 'f', signature }]);
    }
  });
});

describe('rule 20: a compaction', () => {
  it('is exactly one item, with what the model wrote', () => {
    const body = { input: [{ role: 'user', content: 'x' }, { type: 'compaction_trigger' }] };
    const events = written(
      [
        start,
        { type: 'block_start', ...at(0), block: { type: 'thinking' } },
        { type: 'delta', ...at(0), text: 'hm' },
        { type: 'block_end', ...at(0) },
        ...text(1, 'Summary.'),
        ...done('stop'),
      ],
      body,
    );
    const { output } = events.at(-1)?.['response'] as { output: JsonObject[] };
    expect(output).toMatchObject([{ type: 'compaction' }]);
    expect(readCompaction(output[0]?.['encrypted_content'])).toBe('Summary.');
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_item.done',
      'response.completed',
    ]);
  });
});
