import fc from 'fast-check';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { completionToChunks } from './completion-to-chunks.js';
import { normaliseCompletion } from './normalise-completion.js';
import { StreamNormaliser } from './stream-normaliser.js';

const OPTIONS = { upstreamModel: 'model-at-provider', redact: (text: string) => text, now: 1_700_000_000_500 };

/** Runs events through, ends the stream, and gives what stands on the wire. */
function run(events: readonly unknown[], expectedChoices = 1): ChatCompletionChunk[] {
  const out: ChatCompletionChunk[] = [];
  const normaliser = new StreamNormaliser({ ...OPTIONS, expectedChoices });
  for (const event of events) {
    normaliser.push({ event: '', data: typeof event === 'string' ? event : JSON.stringify(event) }, out);
  }
  normaliser.end(out);
  return JSON.parse(JSON.stringify(out)) as ChatCompletionChunk[];
}

function failure(events: readonly unknown[]): GatewayError {
  try {
    run(events);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the stream was taken for a whole one');
}

const ENVELOPE = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_001, model: 'm-1' };

function chunk(delta: object, finish: string | null = null, rest: object = {}) {
  return { ...ENVELOPE, choices: [{ index: 0, delta, finish_reason: finish }], ...rest };
}

/** The contract of every stream, for any behaviour of the server. */
function expectContract(chunks: readonly ChatCompletionChunk[]): void {
  const roles = new Set<number>();
  const finished = new Set<number>();
  const calls = new Map<string, { id?: string; name?: string; args: string }>();
  for (const [position, { id, object, created, model, choices, usage }] of chunks.entries()) {
    expect(object).toBe('chat.completion.chunk');
    expect({ id, created }).toEqual({ id: chunks[0]!.id, created: chunks[0]!.created });
    expect(id).not.toBe('');
    expect(created).toBeGreaterThan(1_600_000_000);
    expect(model).not.toBe('');
    if (choices.length === 0) expect([position, usage != null]).toEqual([chunks.length - 1, true]);
    else expect(usage).toBeUndefined();
    for (const { index, delta, finish_reason: reason } of choices) {
      expect(finished.has(index)).toBe(false);
      expect(delta.role).toBe(roles.has(index) ? undefined : 'assistant');
      roles.add(index);
      if (reason !== null) {
        expect(delta).toEqual({});
        finished.add(index);
      }
      for (const call of delta.tool_calls ?? []) {
        const key = `${index}/${call.index}`;
        const known = calls.get(key);
        if (known === undefined) {
          expect(call).toMatchObject({ id: expect.any(String) as string, type: 'function' });
          expect(call.function?.name).toBeTruthy();
          calls.set(key, { id: call.id, name: call.function?.name, args: call.function?.arguments ?? '' });
        } else {
          expect([call.id, call.type, call.function?.name]).toEqual([undefined, undefined, undefined]);
          known.args += call.function?.arguments ?? '';
        }
      }
    }
  }
  expect(finished).toEqual(roles);
  expect(new Set([...calls.values()].map(({ id }) => id)).size).toBe(calls.size);
  for (const { args } of calls.values()) expect(() => JSON.parse(args) as unknown).not.toThrow();
}

function textOf(chunks: readonly ChatCompletionChunk[], index = 0): string {
  return chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? '')
    .join('');
}

function callsOf(chunks: readonly ChatCompletionChunk[]) {
  const calls: { id: string | undefined; name: string | undefined; args: string }[] = [];
  for (const call of chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []))) {
    const known = (calls[call.index] ??= { id: call.id, name: call.function?.name, args: '' });
    known.args += call.function?.arguments ?? '';
  }
  return calls;
}

const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
const call = (index: number | undefined, id: string | undefined, name: string | undefined, args: unknown) => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id, type: 'function' }),
  function: { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) },
});

describe('StreamNormaliser on recorded streams', () => {
  it("leaves OpenAI's own stream as it is, but for the usage nulls", () => {
    const more = { service_tier: 'default', system_fingerprint: 'fp_1', obfuscation: 'x7' };
    const events = [
      chunk({ role: 'assistant', content: '', refusal: null }, null, more),
      chunk({ content: 'Hello' }, null, more),
      chunk({}, 'stop', more),
      { ...ENVELOPE, choices: [], ...more, usage: USAGE },
    ];
    const chunks = run([...events.slice(0, 3).map((event) => ({ ...event, usage: null })), events[3], '[DONE]']);
    expectContract(chunks);
    const finish = { index: 0, delta: {}, logprobs: null, finish_reason: 'stop' };
    expect(chunks).toEqual([events[0], events[1], { ...events[2], choices: [finish] }, events[3]]);
  });

  it("Azure: the first chunk's filter results travel with the first choice", () => {
    const chunks = run([
      { id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
      { ...chunk({ role: 'assistant', content: '' }), id: 'chatcmpl-az' },
      {
        ...chunk({ content: 'Hi' }),
        id: 'chatcmpl-az',
        choices: [
          {
            index: 0,
            delta: { content: 'Hi' },
            finish_reason: null,
            content_filter_results: { hate: { filtered: false } },
          },
        ],
      },
      {
        ...chunk({}),
        id: '',
        choices: [{ index: 0, delta: {}, finish_reason: null, content_filter_offsets: { check_offset: 1 } }],
      },
      { ...chunk({}, 'stop'), id: 'chatcmpl-az' },
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks[0]).toMatchObject({ id: 'chatcmpl-az', prompt_filter_results: [{ prompt_index: 0 }] });
    expect(chunks[1]!.choices[0]).toHaveProperty('content_filter_results');
    expect(chunks[2]!.choices[0]).toHaveProperty('content_filter_offsets');
  });

  it('vLLM: the role, empty tool calls and running usage in every chunk', () => {
    const chunks = run([
      {
        ...chunk({ role: 'assistant', content: '' }),
        usage: { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 },
      },
      {
        ...chunk({ role: 'assistant', content: null, reasoning_content: 'hm', tool_calls: [] }),
        usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
      },
      { ...chunk({ content: 'Hi' }), usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } },
      {
        ...chunk({ content: '' }, 'stop'),
        choices: [{ index: 0, delta: { content: '' }, logprobs: null, finish_reason: 'stop', stop_reason: 128 }],
        usage: USAGE,
      },
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: null, reasoning_content: 'hm' },
      { content: 'Hi' },
      {},
      undefined,
    ]);
    expect(chunks[3]!.choices[0]).toMatchObject({ stop_reason: 128 });
    expect(chunks[4]).toMatchObject({ usage: USAGE });
  });

  it('Ollama: content in the finish chunk, whole tool calls without index, no [DONE]', () => {
    const chunks = run([
      chunk({ role: 'assistant', content: 'Hel' }, null, { system_fingerprint: 'fp_ollama' }),
      chunk({ role: 'assistant', content: 'lo' }, 'stop', { system_fingerprint: 'fp_ollama' }),
    ]);
    expectContract(chunks);
    expect(textOf(chunks)).toBe('Hello');
    expect(chunks).toHaveLength(3);
    expect(chunks.every(({ system_fingerprint }) => system_fingerprint === 'fp_ollama')).toBe(true);

    const calls = run([
      chunk({
        role: 'assistant',
        content: '',
        tool_calls: [call(undefined, 'call_a', 'f', '{"x":1}'), call(undefined, 'call_b', 'g', '{}')],
      }),
      chunk({ role: 'assistant', content: '' }, 'tool_calls'),
      chunk({ role: 'assistant', content: '' }, 'stop'),
      '[DONE]',
    ]);
    expectContract(calls);
    expect(callsOf(calls)).toEqual([
      { id: 'call_a', name: 'f', args: '{"x":1}' },
      { id: 'call_b', name: 'g', args: '{}' },
    ]);
  });

  it('llama.cpp: null content first, timings in the last chunk', () => {
    const chunks = run([
      chunk({ role: 'assistant', content: null }),
      chunk({ content: 'Hi' }),
      chunk({}, 'stop'),
      { ...ENVELOPE, choices: [], usage: USAGE, timings: { predicted_ms: 4 } },
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks.at(-1)).toMatchObject({ usage: USAGE, timings: { predicted_ms: 4 } });
  });

  it('Groq: usage in x_groq', () => {
    const chunks = run([
      chunk({ role: 'assistant', content: '' }, null, { x_groq: { id: 'req_1' } }),
      chunk({ content: 'Hi' }),
      chunk({}, 'stop', { x_groq: { id: 'req_1', usage: { ...USAGE, queue_time: 0.1 } } }),
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { ...USAGE, queue_time: 0.1 } });
    expect(chunks[0]).toMatchObject({ x_groq: { id: 'req_1' } });
  });

  it('OpenRouter: usage after the end with a repeated choice, native reasons kept', () => {
    const end = {
      index: 0,
      delta: { role: 'assistant', content: '' },
      finish_reason: 'stop',
      native_finish_reason: 'STOP',
    };
    const chunks = run([
      chunk({ role: 'assistant', content: 'Hi' }, null, { provider: 'Google' }),
      { ...ENVELOPE, provider: 'Google', choices: [end] },
      {
        ...ENVELOPE,
        provider: 'Google',
        choices: [{ ...end, finish_reason: null, native_finish_reason: null }],
        usage: { ...USAGE, cost: 0.1 },
      },
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks[1]!.choices[0]).toMatchObject({ native_finish_reason: 'STOP' });
    expect(chunks.at(-1)).toMatchObject({ usage: { ...USAGE, cost: 0.1 } });
  });

  it('OpenRouter: an error object in the middle', () => {
    const error = failure([
      chunk({ role: 'assistant', content: 'Hi' }),
      {
        ...chunk({ content: '' }, 'error'),
        error: { code: 'server_error', message: 'Provider disconnected unexpectedly' },
      },
    ]);
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
    expect(failure([{ error: { code: 429, message: 'slow down' } }])).toMatchObject({ status: 429 });
  });

  it('DeepSeek: reasoning before content, usage in the finish chunk', () => {
    const chunks = run([
      chunk({ role: 'assistant', content: null, reasoning_content: '' }),
      chunk({ content: null, reasoning_content: 'hm' }),
      chunk({ content: 'Hi', reasoning_content: null }),
      chunk({ content: '', reasoning_content: null }, 'stop', { usage: { ...USAGE, prompt_cache_hit_tokens: 3 } }),
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks[1]!.choices[0]!.delta).toEqual({ content: null, reasoning_content: 'hm' });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_cache_hit_tokens: 3 } });
  });

  it('Mistral: parts instead of a string, its own word for length', () => {
    const chunks = run([
      chunk({ role: 'assistant', content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      chunk({ content: [{ type: 'text', text: 'Hi' }] }),
      chunk({ content: '' }, 'model_length', { usage: USAGE }),
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(textOf(chunks)).toBe('Hi');
    expect(chunks[0]!.choices[0]!.delta['reasoning_content']).toBe('hm');
    expect(chunks[2]!.choices[0]!.finish_reason).toBe('length');
  });

  it('Together: fractional fields, a null role and everything in one chunk', () => {
    const chunks = run([
      {
        id: 'o1',
        object: 'chat.completion.chunk',
        created: 1_700_000_001.5,
        model: 'm',
        choices: [
          { index: 0, delta: { role: null, content: 'Hi' }, text: 'Hi', finish_reason: 'eos', seed: 4, logprobs: null },
        ],
        usage: USAGE,
      },
      '[DONE]',
    ]);
    expectContract(chunks);
    expect(chunks).toHaveLength(3);
    expect(chunks[0]!.created).toBe(1_700_000_001);
    expect(chunks[1]!.choices[0]).toMatchObject({ finish_reason: 'stop', seed: 4 });
  });

  it('Gemini: parallel calls that all have index 0', () => {
    const separate = run([
      chunk({ role: 'assistant', tool_calls: [call(0, 'a', 'f', '{"x":1}')] }),
      chunk({ tool_calls: [call(0, 'b', 'g', '{"y":2}')] }),
      chunk({}, 'tool_calls'),
    ]);
    const together = run([
      chunk({ role: 'assistant', tool_calls: [call(0, '', 'f', '{"x":1}'), call(0, '', 'f', '{"y":2}')] }, 'stop'),
    ]);
    for (const chunks of [separate, together]) {
      expectContract(chunks);
      expect(callsOf(chunks).map(({ args }) => args)).toEqual(['{"x":1}', '{"y":2}']);
    }
  });
});

describe('StreamNormaliser on tool calls', () => {
  it.each([
    [
      "OpenAI's own",
      [call(0, 'a', 'f', ''), call(0, undefined, undefined, '{"x"'), call(0, undefined, undefined, ':1}')],
    ],
    [
      'no index',
      [
        call(undefined, 'a', 'f', ''),
        call(undefined, undefined, undefined, '{"x"'),
        call(undefined, undefined, undefined, ':1}'),
      ],
    ],
    ['no index, the id repeated', [call(undefined, 'a', 'f', '{"x"'), call(undefined, 'a', undefined, ':1}')]],
    ['id and name repeated', [call(0, 'a', 'f', '{"x"'), call(0, 'a', 'f', ':1}')]],
    [
      'empty id and name',
      [call(0, 'a', 'f', '{"x"'), { index: 0, id: '', type: null, function: { name: '', arguments: ':1}' } }],
    ],
    ['arguments that are null', [call(0, 'a', 'f', null), call(0, undefined, undefined, '{"x":1}')]],
    ['arguments that are no string', [call(0, 'a', 'f', { x: 1 })]],
    ['the name after the id', [{ index: 0, id: 'a', type: 'function' }, call(0, undefined, 'f', '{"x":1}')]],
    ['the name after some arguments', [call(0, 'a', undefined, '{"x"'), call(0, undefined, 'f', ':1}')]],
    ['an index that starts at 1', [call(1, 'a', 'f', '{"x":1}')]],
    ['nothing said', [call(0, 'a', 'f', '{"x":1}'), call(0, undefined, undefined, ''), { index: 0 }]],
  ])('%s', (_name, deltas) => {
    const chunks = run([...deltas.map((delta) => chunk({ tool_calls: [delta] })), chunk({}, 'tool_calls'), '[DONE]']);
    expectContract(chunks);
    expect(callsOf(chunks)).toEqual([{ id: 'a', name: 'f', args: '{"x":1}' }]);
  });

  it('keeps two interleaved calls apart', () => {
    const chunks = run([
      chunk({ tool_calls: [call(0, 'a', 'f', ''), call(1, 'b', 'g', '')] }),
      chunk({ tool_calls: [call(1, undefined, undefined, '{"y":2}'), call(0, undefined, undefined, '{"x":1}')] }),
      chunk({}, 'tool_calls'),
    ]);
    expectContract(chunks);
    expect(callsOf(chunks)).toEqual([
      { id: 'a', name: 'f', args: '{"x":1}' },
      { id: 'b', name: 'g', args: '{"y":2}' },
    ]);
  });

  it('makes up an id, once', () => {
    const chunks = run([
      chunk({ tool_calls: [call(0, undefined, 'f', '{')] }),
      chunk({ tool_calls: [call(0, 'late', undefined, '}')] }, 'tool_calls'),
    ]);
    expectContract(chunks);
    expect(callsOf(chunks)[0]!.id).toMatch(/^call_/);
  });

  it('keeps unknown fields of a call', () => {
    const signature = { extra_content: { google: { thought_signature: 's' } } };
    const chunks = run([chunk({ tool_calls: [{ ...call(0, 'a', 'f', '{}'), ...signature }] }, 'tool_calls')]);
    expect(chunks[0]!.choices[0]!.delta.tool_calls![0]).toMatchObject(signature);
  });

  it('fails on a call that never got a name', () => {
    expect(failure([chunk({ tool_calls: [call(0, 'a', undefined, '{}')] }), chunk({}, 'tool_calls')]).code).toBe(
      'upstream_error',
    );
  });
});

describe('StreamNormaliser', () => {
  it('makes up one id and date for a stream that has none', () => {
    const chunks = run([
      { choices: [{ delta: { content: 'a' } }] },
      { choices: [{ delta: { content: 'b' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
    ]);
    expectContract(chunks);
    expect(chunks[0]).toMatchObject({ model: 'model-at-provider', created: 1_700_000_000 });
  });

  it('holds on to the first id when a server changes it', () => {
    expectContract(run([chunk({ content: 'a' }), { ...chunk({}, 'stop'), id: 'other', created: 1_800_000_000 }]));
  });

  it('ends each choice, also when several share a chunk', () => {
    const both = (delta: object, finish: string | null) => ({
      ...ENVELOPE,
      choices: [0, 1].map((index) => ({ index, delta, finish_reason: finish })),
    });
    const chunks = run(
      [
        both({ content: 'a' }, null),
        {
          ...ENVELOPE,
          choices: [
            { index: 0, delta: {}, finish_reason: 'stop' },
            { index: 1, delta: { content: 'b' }, finish_reason: null },
          ],
        },
        { ...ENVELOPE, choices: [{ index: 1, delta: {}, finish_reason: 'length' }] },
      ],
      2,
    );
    expectContract(chunks);
    expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual(['a', 'ab']);
  });

  it.each([2, 3])('ends each of %i choices that finish in one chunk', (count) => {
    const indexes = Array.from({ length: count }, (_, index) => index);
    const reasons = ['stop', 'length', 'content_filter'];
    const choicesWith = (of: (index: number) => object) => ({
      ...ENVELOPE,
      choices: indexes.map((index) => ({ index, ...of(index) })),
    });
    const chunks = run(
      [
        choicesWith((index) => ({ delta: { content: `${index}` }, finish_reason: null })),
        choicesWith((index) => ({ delta: {}, finish_reason: reasons[index], stop_reason: index })),
      ],
      count,
    );
    expectContract(chunks);
    const ends = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.finish_reason !== null);
    expect(ends).toMatchObject(
      indexes.map((index) => ({ index, finish_reason: reasons[index], stop_reason: index, delta: {} })),
    );
  });

  it('adds the role to an empty response', () => {
    const chunks = run([chunk({}, 'content_filter')]);
    expectContract(chunks);
    expect(chunks.map(({ choices }) => choices[0]!.delta)).toEqual([{ role: 'assistant', content: '' }, {}]);
  });

  it('leaves log probabilities with the content when it splits a chunk', () => {
    const logprobs = { content: [{ token: 'a' }] };
    const chunks = run([
      { ...ENVELOPE, choices: [{ index: 0, delta: { content: 'a' }, logprobs, finish_reason: 'stop' }] },
    ]);
    expect(chunks.map(({ choices }) => choices[0]!.logprobs)).toEqual([logprobs, null]);
  });

  it('ignores events that say nothing', () => {
    expectContract(
      run([
        '',
        { type: 'ping' },
        chunk({ content: 'a' }),
        { choices: null },
        chunk({}, 'stop'),
        '[DONE]',
        'what comes after',
      ]),
    );
  });

  it('knows when nothing can be missing', () => {
    const normaliser = new StreamNormaliser({ ...OPTIONS, expectedChoices: 1 });
    const seen = [chunk({ content: 'a' }), chunk({}, 'stop')].map((event) => {
      normaliser.push({ event: '', data: JSON.stringify(event) }, []);
      return normaliser.whole;
    });
    expect(seen).toEqual([false, true]);
  });

  it.each([
    ['nothing', []],
    ['[DONE] alone', ['[DONE]']],
    ['usage alone', [{ choices: [], usage: USAGE }, '[DONE]']],
    ['no finish reason', [chunk({ content: 'a' })]],
    [
      'one of two choices unfinished',
      [
        {
          ...ENVELOPE,
          choices: [
            { index: 0, delta: {}, finish_reason: 'stop' },
            { index: 1, delta: { content: 'a' } },
          ],
        },
      ],
    ],
    ['an error string', [chunk({ content: 'a' }), { error: 'broken' }]],
    ["vLLM's error", [{ object: 'error', message: 'broken', code: 500 }]],
    ['malformed JSON', [chunk({ content: 'a' }), '{"id":']],
    ['an event that is no object', ['42']],
    ['a choice that is null', [{ choices: [null] }]],
    ['an index out of range', [{ choices: [{ index: 4e9, delta: { content: 'a' } }] }]],
    ['a negative index', [{ choices: [{ index: -1, delta: { content: 'a' } }] }]],
    ['a generation that ended early', [chunk({ content: 'a' }), chunk({}, 'error')]],
    ['an error inside a choice', [{ choices: [{ index: 0, delta: {}, error: { message: 'x' } }] }]],
  ])('takes %s for a failure', (_name, events) => {
    expect(failure(events)).toMatchObject({ status: 502, code: 'upstream_error', retryable: true });
  });

  it('takes an event named error for one, JSON or not', () => {
    for (const data of ['{"message":"broken","type":"server_error"}', 'broken']) {
      const normaliser = new StreamNormaliser({ ...OPTIONS, expectedChoices: 1 });
      expect(() => normaliser.push({ event: 'error', data }, [])).toThrow(GatewayError);
    }
  });

  it('never repeats what a malformed event said', () => {
    expect(failure(['{"secret']).message).not.toContain('secret');
  });
});

describe('completionToChunks', () => {
  it('streams a plain response in the same order', () => {
    const completion = normaliseCompletion(
      {
        id: 'chatcmpl-1',
        created: 1_700_000_001,
        choices: [
          {
            message: {
              content: 'Hi',
              reasoning_content: 'hm',
              tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }],
            },
            finish_reason: 'tool_calls',
            stop_reason: 1,
          },
        ],
        usage: USAGE,
        system_fingerprint: 'fp',
      },
      OPTIONS,
    );
    const chunks = JSON.parse(JSON.stringify(completionToChunks(completion))) as ChatCompletionChunk[];
    expectContract(chunks);
    expect(textOf(chunks)).toBe('Hi');
    expect(callsOf(chunks)).toEqual([{ id: 'a', name: 'f', args: '{}' }]);
    expect(chunks[0]).toMatchObject({ system_fingerprint: 'fp', choices: [{ delta: { reasoning_content: 'hm' } }] });
    expect(chunks[2]).toMatchObject({ choices: [], usage: USAGE });
  });

  it.each<[string, unknown[], string, string]>([
    [
      'a reason in every chunk',
      [
        chunk({ role: 'assistant', content: '' }, 'stop'),
        chunk({ content: 'He' }, 'stop'),
        chunk({ content: '' }, 'stop'),
        chunk({ content: 'y' }, 'stop'),
      ],
      'Hey',
      'stop',
    ],
    [
      'a stronger reason before the last',
      [chunk({ content: 'He' }, 'stop'), chunk({ content: 'y' }, 'length'), chunk({}, 'stop')],
      'Hey',
      'length',
    ],
    [
      'content after the reason',
      [chunk({ content: 'He' }), chunk({}, 'length'), chunk({ content: 'y' })],
      'Hey',
      'length',
    ],
    [
      'the reason after the usage',
      [chunk({ content: 'Hey' }), { ...ENVELOPE, choices: [], usage: USAGE }, chunk({}, 'stop')],
      'Hey',
      'stop',
    ],
    ['no reason, and [DONE]', [chunk({ content: 'Hey' }), '[DONE]'], 'Hey', 'stop'],
    [
      'a function_call that is a tool call',
      [
        chunk({ content: 'Hey', tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
        chunk({}, 'function_call'),
      ],
      'Hey',
      'tool_calls',
    ],
    [
      'no reason for a call, and [DONE]',
      [chunk({ content: 'Hey', function_call: { name: 'f', arguments: '{}' } }), '[DONE]'],
      'Hey',
      'function_call',
    ],
    [
      'a whole message that repeats the deltas',
      [
        chunk({ content: 'Hey' }),
        { ...ENVELOPE, choices: [{ index: 0, message: { content: 'Hey' }, finish_reason: 'stop' }] },
      ],
      'Hey',
      'stop',
    ],
  ])('copes with %s', (_name, events, content, reason) => {
    const chunks = run(events);
    expectContract(chunks);
    const choices = chunks.flatMap((each) => each.choices);
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe(content);
    expect(choices.flatMap(({ finish_reason: each }) => each ?? [])).toEqual([reason]);
  });

  it.each([
    ['beside the choices', { usage: USAGE }, {}],
    ['in the choice', {}, { usage: USAGE }],
    ['in the delta', {}, { delta: { usage: USAGE } }],
    ["in Groq's envelope", { x_groq: { usage: USAGE } }, {}],
    [
      "in Gemini's words",
      {
        usageMetadata: {
          promptTokenCount: USAGE.prompt_tokens,
          candidatesTokenCount: USAGE.completion_tokens,
          totalTokenCount: USAGE.total_tokens,
        },
      },
      {},
    ],
    ["in Ollama's words", { prompt_eval_count: USAGE.prompt_tokens, eval_count: USAGE.completion_tokens }, {}],
  ])('finds the usage %s, in streams and in whole responses', (_name, fields, ofChoice) => {
    const last = { ...ENVELOPE, ...fields, choices: [{ index: 0, delta: {}, finish_reason: 'stop', ...ofChoice }] };
    const chunks = run([chunk({ content: 'a' }), structuredClone(last), '[DONE]']);
    expectContract(chunks);
    expect(chunks.at(-1)?.usage).toMatchObject(USAGE);
    const { delta = {}, ...choice } = structuredClone(last).choices[0] as { delta?: object };
    const whole = { ...structuredClone(last), choices: [{ ...choice, message: { ...delta, content: 'a' } }] };
    expect(normaliseCompletion(whole, OPTIONS).usage).toMatchObject(USAGE);
  });

  it('joins usage that comes in parts, and adds up what the choices counted', () => {
    const parts = [
      chunk({ content: 'a' }, null, { usage: { prompt_tokens: 7, completion_tokens: 0 } }),
      chunk({}, 'stop', { usage: { prompt_tokens: 0, completion_tokens: 5 } }),
    ];
    expect(run(parts).at(-1)?.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 });
    const choice = (index: number, completion: number) => ({
      ...ENVELOPE,
      choices: [
        {
          index,
          delta: { content: 'a' },
          finish_reason: 'stop',
          usage: { prompt_tokens: 7, completion_tokens: completion },
        },
      ],
    });
    expect(run([choice(0, 5), choice(1, 6)], 2).at(-1)?.usage).toEqual({
      prompt_tokens: 7,
      completion_tokens: 11,
      total_tokens: 18,
    });
  });

  it('yields the same calls when a server omits, repeats or misnumbers parts', () => {
    const call = fc.record({ name: fc.constantFrom('f', 'g'), args: fc.dictionary(fc.string(), fc.jsonValue()) });
    const habits = fc.record({
      index: fc.constantFrom('right', 'zero', 'none'),
      id: fc.constantFrom('once', 'empty', 'none', 'each delta', 'new each delta', 'same for all'),
      name: fc.constantFrom('once', 'each delta'),
      type: fc.boolean(),
      reason: fc.constantFrom('last', 'each', 'none'),
      pieces: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 4 }), habits, (calls, habit) => {
        const deltas = calls.flatMap(({ name, args }, position) => {
          const text = JSON.stringify(args);
          const size = Math.ceil(text.length / habit.pieces);
          const texts = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
          return texts.map((piece, at) => {
            const ids = {
              once: at === 0 ? `id-${position}` : undefined,
              empty: '',
              none: undefined,
              'each delta': `id-${position}`,
              'new each delta': `id-${position}-${at}`,
              'same for all': 'id',
            };
            return {
              index: { right: position, zero: 0, none: undefined }[habit.index],
              id: ids[habit.id],
              type: habit.type ? 'function' : undefined,
              function: { name: at === 0 || habit.name === 'each delta' ? name : undefined, arguments: piece },
            };
          });
        });
        const events = deltas.map((delta, at) =>
          chunk(
            { tool_calls: [delta] },
            habit.reason === 'each' || (habit.reason === 'last' && at === deltas.length - 1) ? 'tool_calls' : null,
          ),
        );
        // One function twice with the same id and the same arguments cannot be distinguished from a repetition.
        const texts = calls.map((each) => JSON.stringify(each));
        fc.pre(new Set(texts).size === texts.length);
        const chunks = run([...events, '[DONE]']);
        expectContract(chunks);
        const found: { name: string; text: string }[] = [];
        for (const each of chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []))) {
          const known = (found[each.index] ??= { name: each.function?.name ?? '', text: '' });
          known.text += each.function?.arguments ?? '';
        }
        expect(found).toEqual(calls.map(({ name, args }) => ({ name, text: JSON.stringify(args) })));
        expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls');
      }),
      { numRuns: 500 },
    );
  });
});
