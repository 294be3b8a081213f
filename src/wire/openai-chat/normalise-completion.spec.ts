import { GatewayError } from '../../errors/gateway-error.js';
import { normaliseFinishReason } from './finish-reason.js';
import { normaliseCompletion } from './normalise-completion.js';
import { normaliseUsage } from './normalise-usage.js';

const OPTIONS = { upstreamModel: 'model-at-provider', redact: (text: string) => text, now: 1_700_000_000_500 };

function normalise(body: unknown) {
  return normaliseCompletion(body, OPTIONS);
}

function completionOf(message: unknown, rest: object = { finish_reason: 'stop' }) {
  return { choices: [{ index: 0, message, ...rest }] };
}

describe('normaliseCompletion', () => {
  it("leaves OpenAI's own response unchanged", () => {
    const body = {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-5-mini-2025-08-07',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', refusal: null, annotations: [] },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 3,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      service_tier: 'default',
      system_fingerprint: 'fp_1',
    };
    expect(normalise(structuredClone(body))).toEqual(body);
  });

  it('fills in what is missing', () => {
    const completion = normalise({ choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] });
    expect(completion).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/) as string,
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'model-at-provider',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hi', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
    });
    expect(
      normalise({ id: '', created: 1.7e12, model: '', ...completionOf({ role: null, content: '' }) }),
    ).toMatchObject({
      created: 1_700_000_000,
      model: 'model-at-provider',
      choices: [{ message: { role: 'assistant', content: '' } }],
    });
  });

  it('keeps unknown fields at every level', () => {
    const completion = normalise({
      ...completionOf(
        { role: 'assistant', content: 'Hi', reasoning_content: 'hm', audio: { id: 'a' } },
        { finish_reason: 'stop', stop_reason: 2 },
      ),
      x_groq: { id: 'req_1' },
    });
    expect(completion).toMatchObject({
      x_groq: { id: 'req_1' },
      choices: [{ stop_reason: 2, message: { reasoning_content: 'hm', audio: { id: 'a' } } }],
    });
  });

  it('repairs tool calls: ids, types, arguments that are not a string', () => {
    const { message } = normalise(
      completionOf({
        content: null,
        tool_calls: [{ function: { name: 'a', arguments: { b: 1 } } }, { id: '', function: { name: 'c' } }],
      }),
    ).choices[0]!;
    expect(message.tool_calls).toEqual([
      {
        id: expect.stringMatching(/^call_/) as string,
        type: 'function',
        function: { name: 'a', arguments: '{"b":1}' },
      },
      { id: expect.stringMatching(/^call_/) as string, type: 'function', function: { name: 'c', arguments: '{}' } },
    ]);
    expect(message.tool_calls![0]!.id).not.toBe(message.tool_calls![1]!.id);
    expect(normalise(completionOf({ content: 'a', tool_calls: [] })).choices[0]!.message).not.toHaveProperty(
      'tool_calls',
    );
    expect(normalise(completionOf({ content: 'a', tool_calls: null })).choices[0]!.message).not.toHaveProperty(
      'tool_calls',
    );
  });

  it('infers a missing finish reason from a whole response', () => {
    const reason = (message: object) => normalise(completionOf(message, {})).choices[0]!.finish_reason;
    expect(reason({ content: 'a' })).toBe('stop');
    expect(reason({ refusal: 'no' })).toBe('stop');
    expect(reason({ tool_calls: [{ function: { name: 'a' } }] })).toBe('tool_calls');
    expect(() => reason({ content: null })).toThrow(GatewayError);
  });

  it("makes Mistral's parts a string", () => {
    const parts = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'Hi' },
      { type: 'text', text: ' you' },
    ];
    expect(normalise(completionOf({ content: parts })).choices[0]!.message).toMatchObject({
      content: 'Hi you',
      reasoning_content: 'hm',
    });
  });

  it.each([
    ['an error object', { error: { message: 'Overloaded', type: 'server_error' } }],
    ['an error string', { error: 'Overloaded' }],
    ["vLLM's error", { object: 'error', message: 'failed', code: 500 }],
    ['an error beside choices', { error: { message: 'x' }, ...completionOf({ content: 'a' }) }],
    [
      'an error inside a choice',
      completionOf({ content: '' }, { error: { code: 502, message: 'x' }, finish_reason: 'error' }),
    ],
    ['a generation that ended early', completionOf({ content: 'a' }, { finish_reason: 'error' })],
    ['no choices', { id: 'a' }],
    ['empty choices', { choices: [] }],
    ['null choices', { choices: null }],
    ['a choice without message', { choices: [{ text: 'a' }] }],
    ['a choice that is null', { choices: [null] }],
    ['a tool call that is null', completionOf({ tool_calls: [null] })],
    ['a list', [completionOf({ content: 'a' })]],
    ['text', 'Hello'],
    ['null', null],
  ])('takes %s for a failure', (_name, body) => {
    expect(() => normalise(body)).toThrow(
      expect.objectContaining({ code: 'upstream_error', retryable: true }) as Error,
    );
  });
});

describe('normaliseFinishReason', () => {
  it.each([
    ['stop', 'stop'],
    ['function_call', 'function_call'],
    ['eos', 'stop'],
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_length', 'length'],
    ['STOP', 'stop'],
    ['SAFETY', 'content_filter'],
    ['something new', 'stop'],
    ['constructor', 'stop'],
    ['error', 'failed'],
    ['', null],
    ['null', null],
    [null, null],
    [undefined, null],
  ])('%p is %p', (value, expected) => {
    expect(normaliseFinishReason(value)).toBe(expected);
  });
});

describe('normaliseUsage', () => {
  it.each([
    [{ prompt_tokens: 2, completion_tokens: 3 }, [2, 3, 5]],
    [{ prompt_tokens: 2, total_tokens: 5 }, [2, 3, 5]],
    [{ prompt_tokens: 2, completion_tokens: 0, total_tokens: 2 }, [2, 0, 2]],
    [{ input_tokens: 2, output_tokens: 3 }, [2, 3, 5]],
    [{ prompt_tokens: 2, completion_tokens: 3, total_tokens: 9 }, [2, 7, 9]],
  ])('%j', (usage, [prompt, completion, total]) => {
    expect(normaliseUsage(usage)).toMatchObject({
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: total,
    });
  });

  it.each([[null], [undefined], [{}], [{ prompt_tokens: null }], [{ prompt_tokens: -1 }], ['12']])(
    '%j counts nothing',
    (usage) => {
      expect(normaliseUsage(usage)).toBeUndefined();
    },
  );
});
