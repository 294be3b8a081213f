import fc from 'fast-check';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import type { ReadContext, Target } from '../wire-format.js';
import { COHERE } from './cohere-wire.js';

const TARGET: Target = { upstreamModel: 'command-a-03-2025', client: 'openai-chat', traits: {} };
const READ: ReadContext = { upstreamModel: 'command-a-03-2025', redact: (text) => text, now: 0 };
const user = (text: string): CanonicalRequest['messages'][number] => ({
  role: 'user',
  blocks: [{ type: 'text', text }],
});

/** Recorded: https://docs.cohere.com/v2/docs/streaming and the API reference. */
const STREAM = [
  { type: 'message-start', id: 'c14c80c3', delta: { message: { role: 'assistant', content: [], tool_calls: [] } } },
  { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I will ' } } },
  { type: 'tool-plan-delta', delta: { message: { tool_plan: 'look.' } } },
  {
    type: 'tool-call-start',
    index: 0,
    delta: {
      message: { tool_calls: { id: 'weather_1', type: 'function', function: { name: 'weather', arguments: '' } } },
    },
  },
  { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '{"city":' } } } } },
  { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '"Oslo"}' } } } } },
  { type: 'tool-call-end', index: 0 },
  { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
  { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Wait.' } } } },
  { type: 'citation-start', index: 0, delta: { message: { citations: { start: 1, end: 2, text: 'x' } } } },
  { type: 'content-end', index: 0 },
  {
    type: 'message-end',
    delta: {
      finish_reason: 'TOOL_CALL',
      usage: { billed_units: { input_tokens: 12, output_tokens: 7 }, tokens: { input_tokens: 507, output_tokens: 10 } },
    },
  },
];

function read(events: readonly object[]): CanonicalChunk[] {
  const reader = COHERE.readStream(READ);
  const chunks: CanonicalChunk[] = [];
  for (const event of events) reader.read({ event: '', data: JSON.stringify(event) }, chunks);
  reader.end(chunks);
  return chunks;
}

describe("Cohere's chat format", () => {
  it('reads a recorded stream: the plan as thinking, calls, text, and what is billed', () => {
    const chunks = read(STREAM);
    expect(chunks[0]).toEqual({ type: 'start', id: 'c14c80c3' });
    expect(chunks.flatMap((chunk) => (chunk.type === 'block_start' ? [chunk.block.type] : []))).toEqual([
      'thinking',
      'tool_call',
      'text',
    ]);
    expect(chunks.map((chunk) => (chunk.type === 'delta' ? chunk.text : '')).join('')).toBe(
      'I will look.{"city":"Oslo"}Wait.',
    );
    expect(chunks.slice(-3)).toEqual([
      { type: 'finish', choice: 0, reason: 'tool_calls' },
      { type: 'usage', usage: { inputTokens: 12, outputTokens: 7 } },
      { type: 'end' },
    ]);
  });

  it('never takes a part of a stream for a whole one, and never breaks over an event that it does not know', () => {
    const events = fc.array(fc.oneof(fc.constantFrom(...STREAM), fc.record({ type: fc.string(), delta: fc.object() })));
    fc.assert(
      fc.property(events, (some) => {
        const isWhole = some.some((event) => event.type === 'message-end');
        const isNameless = some.some(({ type }) => type === 'tool-call-delta');
        let last: unknown;
        try {
          last = read(some).at(-1);
        } catch (error) {
          expect((error as Error).message).toMatch(isNameless ? /too early|without a name/ : /too early/);
          expect(isWhole && !isNameless).toBe(false);
          return;
        }
        expect([isWhole, last]).toEqual([true, { type: 'end' }]);
      }),
    );
  });

  it('arguments of a call whose start is missing are no response', () => {
    const delta = { type: 'tool-call-delta', delta: { message: { tool_calls: { function: { arguments: '{}' } } } } };
    expect(() => read([delta, { type: 'message-end', delta: { finish_reason: 'TOOL_CALL' } }])).toThrow(
      /without a name/,
    );
  });

  it('reads a whole response, with and without usage', () => {
    const message = { role: 'assistant', content: [{ type: 'text', text: 'Paris.' }] };
    const usage = { billed_units: { input_tokens: 12, output_tokens: 7 }, cached_tokens: 448 };
    expect(COHERE.readResponse({ id: 'e7', message, finish_reason: 'COMPLETE', usage }, READ)).toEqual({
      id: 'e7',
      choices: [{ blocks: [{ type: 'text', text: 'Paris.' }], finish: 'stop' }],
      usage: { inputTokens: 12, outputTokens: 7, cachedTokens: 12 },
    });
    expect(COHERE.readResponse({ message, finish_reason: 'MAX_TOKENS' }, READ)).toMatchObject({
      choices: [{ finish: 'length' }],
    });
    expect(() => COHERE.readResponse({ message, finish_reason: 'ERROR' }, READ)).toThrow(/generation early/);
    expect(() => COHERE.readResponse({ message: 'invalid api token' }, READ)).toThrow();
  });

  it('keeps values within what it takes, and names what it leaves out', () => {
    const { body, dropped } = COHERE.writeRequest(
      {
        model: 'm',
        messages: [{ role: 'developer', blocks: [{ type: 'text', text: 'rules' }] }, user('hi'), user('  ')],
        temperature: 1.7,
        frequencyPenalty: -1,
        presencePenalty: 2,
        topP: 0.5,
        topK: 7,
        stop: ['1', '2', '3', '4', '5', '6'],
        logitBias: { a: 1 },
        verbosity: 'low',
        endUser: 'me@example.com',
        reasoning: { effort: 'high' },
        responseFormat: { type: 'json_schema', schema: { type: 'object' } },
        extras: { 'openai-chat': { safety_mode: 'OFF', prediction: { type: 'content' } } },
      },
      TARGET,
    );
    expect(body).toEqual({
      model: 'command-a-03-2025',
      messages: [
        { role: 'system', content: 'rules' },
        { role: 'user', content: 'hi' },
      ],
      temperature: 1,
      frequency_penalty: 0,
      presence_penalty: 1,
      p: 0.5,
      k: 7,
      stop_sequences: ['1', '2', '3', '4', '5'],
      response_format: { type: 'json_object', json_schema: { type: 'object' } },
      safety_mode: 'OFF',
    });
    expect(dropped).toEqual(['stop[5]', 'reasoning_effort', 'logit_bias', 'verbosity', 'prediction']);
  });

  it('thinks where the model can, and is held to a tool only as far as it can be', () => {
    const think = (reasoning: NonNullable<CanonicalRequest['reasoning']>): unknown =>
      COHERE.writeRequest(
        { model: 'm', messages: [user('hi')], reasoning },
        { ...TARGET, upstreamModel: 'command-a-reasoning-08-2025' },
      ).body['thinking'];
    expect(think({ effort: 'medium' })).toEqual({ type: 'enabled', token_budget: 8192 });
    expect(think({ budgetTokens: 2000 })).toEqual({ type: 'enabled', token_budget: 2000 });
    expect(think({ effort: 'none' })).toEqual({ type: 'disabled' });
    const tools = [
      { type: 'function', name: 'a' },
      { type: 'function', name: 'b' },
    ] as const;
    const choose = (count: number, toolChoice: NonNullable<CanonicalRequest['toolChoice']>): unknown =>
      COHERE.writeRequest({ model: 'm', messages: [user('hi')], tools: tools.slice(0, count), toolChoice }, TARGET)
        .body['tool_choice'];
    expect(choose(2, { type: 'required' })).toBe('REQUIRED');
    expect(choose(2, { type: 'none' })).toBe('NONE');
    expect(choose(1, { type: 'tool', name: 'a' })).toBe('REQUIRED');
    expect(() => choose(2, { type: 'tool', name: 'a' })).toThrow(/one of several tools/);
  });
});
