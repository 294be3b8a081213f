import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import { GatewayError } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { SseParser } from '../sse/sse-parser.js';
import type { WriteContext } from '../wire-format.js';
import { OPENAI_COMPLETIONS } from './openai-completions-wire.js';

const CONTEXT: WriteContext = {
  model: 'm',
  requestId: 'req_1',
  now: 1_700_000_000_000,
  request: { model: 'm', messages: [] },
  includesUsage: true,
  estimatedInputTokens: 0,
};

describe('legacy completions', () => {
  it.each(['Once upon', ['Once upon']])('a prompt is one message of the user: %j', (prompt) => {
    const body = { model: 'm', prompt, max_tokens: 5, n: 2, stop: '.', stream: true, stream_options: {}, user: 'u' };
    expect(OPENAI_COMPLETIONS.readRequest(body)).toEqual({
      model: 'm',
      messages: [{ role: 'user', blocks: [{ type: 'text', text: 'Once upon' }] }],
      maxOutputTokens: 5,
      choices: 2,
      stop: ['.'],
      stream: true,
      endUser: 'u',
    });
  });

  it.each<[string, JsonObject]>([
    ['model', { prompt: 'x' }],
    ['prompt', { model: 'm' }],
    ['prompt', { model: 'm', prompt: [] }],
    ['prompt', { model: 'm', prompt: 5 }],
    ['prompt[1]', { model: 'm', prompt: ['a', -1] }],
    ['prompt[0]', { model: 'm', prompt: [[1, 'a']] }],
    ['best_of', { model: 'm', prompt: 'x', best_of: -1 }],
    ['stop', { model: 'm', prompt: 'x', stop: [1] }],
    ['max_tokens', { model: 'm', prompt: 'x', max_tokens: 0 }],
  ])('%s is refused by name: %j', (param, body) => {
    let error: unknown;
    try {
      OPENAI_COMPLETIONS.readRequest(body);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ status: 400, param });
  });

  it.each<[string | undefined, JsonObject]>([
    [undefined, { prompt: 'x' }],
    [undefined, { prompt: ['x'], n: 2, best_of: 2, echo: false, suffix: '', logprobs: null }],
    ['prompt', { prompt: [1, 2] }],
    ['prompt', { prompt: [[1, 2]] }],
    ['prompt', { prompt: ['a', 'b'] }],
    ['echo', { prompt: 'x', echo: true }],
    ['suffix', { prompt: 'x', suffix: 'y' }],
    ['logprobs', { prompt: 'x', logprobs: 0 }],
    [undefined, { prompt: 'x', best_of: 0 }],
    ['best_of', { prompt: 'x', best_of: 3 }],
  ])('%s is what no chat can take of %j', (param, body) => {
    const error = OPENAI_COMPLETIONS.nativeOnly?.(body);
    expect([error?.status, error?.param, error?.code]).toEqual(
      param === undefined ? [undefined, undefined, undefined] : [400, param, 'unsupported_parameter'],
    );
  });

  it.each<[JsonObject, number | undefined]>([
    [{ prompt: 'x' }, undefined],
    [{ prompt: 'x', n: 2, best_of: 5 }, 5],
    [{ prompt: ['a', 'b', 'c'] }, 3],
    [{ prompt: [[1, 2], [3]], n: 2 }, 4],
    [{ prompt: [1, 2, 3], n: 2 }, 2],
  ])('all choices that %j makes are reserved: %p', (body, choices) => {
    expect(OPENAI_COMPLETIONS.readRequest({ model: 'm', ...body }).choices).toBe(choices);
  });

  it('reads what a completions API responds with, whole and streamed', () => {
    const context = { upstreamModel: 'm', redact: (text: string) => text, now: 0 };
    const choice = { index: 0, text: 'def f():', logprobs: { tokens: ['def'] }, finish_reason: 'length' };
    const usage = { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 };
    const body = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices: [choice], usage };
    expect(OPENAI_COMPLETIONS.readResponse(body, context)).toMatchObject({
      id: 'cmpl-1',
      choices: [{ blocks: [{ type: 'text', text: 'def f():' }], finish: 'length' }],
      usage: { inputTokens: 2, outputTokens: 3 },
    });
    const reader = OPENAI_COMPLETIONS.readStream(context);
    const out: CanonicalChunk[] = [];
    const chunks = [
      { ...body, usage: null, choices: [{ ...choice, text: 'def ', finish_reason: null }] },
      { ...body, usage: null, choices: [{ ...choice, text: 'f():' }] },
      { ...body, choices: [] },
    ];
    for (const chunk of chunks) reader.read({ event: '', data: JSON.stringify(chunk) }, out);
    reader.read({ event: '', data: '[DONE]' }, out);
    reader.end(out);
    expect(out.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('')).toBe('def f():');
    expect(out).toContainEqual({ type: 'finish', choice: 0, reason: 'length' });
    expect(out).toContainEqual({ type: 'usage', usage: { inputTokens: 2, outputTokens: 3 } });
  });

  it('writes choices of text, without thinking', () => {
    const result = {
      choices: [
        {
          blocks: [{ type: 'thinking', text: 'hm' } as const, { type: 'text', text: 'a' } as const],
          finish: 'stop' as const,
        },
        { blocks: [{ type: 'text', text: 'b' } as const], finish: 'length' as const },
      ],
      usage: { inputTokens: 1, outputTokens: 2 },
    };
    expect(OPENAI_COMPLETIONS.writeResponse(result, CONTEXT)).toMatchObject({
      object: 'text_completion',
      choices: [
        { text: 'a', index: 0, finish_reason: 'stop', logprobs: null },
        { text: 'b', index: 1, finish_reason: 'length' },
      ],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    });
  });

  it('streams text, then a chunk with the reason and the usage', () => {
    const writer = OPENAI_COMPLETIONS.writeStream(CONTEXT);
    const at = { choice: 0, index: 0 };
    const frames =
      writer.write([
        { type: 'start', model: 'up' },
        { type: 'block_start', ...at, block: { type: 'text' } },
        { type: 'delta', ...at, text: 'Hi' },
        { type: 'block_end', ...at },
        { type: 'extras', extras: { 'openai-chat': { x_gateway_recovered: 2, other: 1 } } },
        { type: 'finish', choice: 0, reason: 'stop' },
        { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } },
        { type: 'end' },
      ]) + writer.end();
    const events = new SseParser().push(Buffer.from(frames)).map(({ data }) => data);
    expect(events.at(-1)).toBe('[DONE]');
    expect(frames).not.toContain('other');
    expect(events.slice(0, -1).map((data) => JSON.parse(data) as JsonObject)).toMatchObject([
      { object: 'text_completion', model: 'up', choices: [{ text: 'Hi', finish_reason: null }] },
      { choices: [{ text: '', finish_reason: 'stop' }], usage: { total_tokens: 3 }, x_gateway_recovered: 2 },
    ]);
  });
});
