import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalChunk, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import { collect } from '../../../test/fixtures/canonical-streams.js';
import { GEMINI_ERRORS, GEMINI_STREAMS } from '../../../test/fixtures/recorded-gemini.js';
import type { ReadContext } from '../wire-format.js';
import { GEMINI } from './gemini-wire.js';

const context: ReadContext = { upstreamModel: 'gemini-2.5-flash', redact: (text) => text, now: 0 };

function read(events: readonly string[]): CanonicalResult {
  const reader = GEMINI.readStream(context);
  const out: CanonicalChunk[] = [];
  for (const data of events) reader.read({ event: '', data }, out);
  reader.end(out);
  return collect(out);
}

function recorded(name: keyof typeof GEMINI_STREAMS): readonly string[] {
  const events = GEMINI_STREAMS[name];
  if (events === undefined) throw new Error(`There is no stream ${name}.`);
  return events;
}

describe('streams of Gemini', () => {
  it('reads text with usage', () => {
    expect(read(recorded('text'))).toEqual({
      id: 'rJ4baJmiE8uX1dkPr_abc',
      model: 'gemini-2.5-flash',
      choices: [{ blocks: [{ type: 'text', text: 'Hello there! How can I help you today?' }], finish: 'stop' }],
      usage: { inputTokens: 5, outputTokens: 10 },
    });
  });

  it('reads thinking and a signed call, whose STOP is a call, with every digit of its arguments', () => {
    const { choices, usage } = read(recorded('thinking and a function call'));
    expect(choices[0]).toMatchObject({
      finish: 'tool_calls',
      blocks: [
        { type: 'thinking', text: '**Considering the weather**\n\nI need the city.' },
        {
          type: 'tool_call',
          name: 'get_weather',
          input: '{"city":"Paris","station":9007199254740993}',
          signature: { wire: 'gemini', value: 'CiQB0e2Kb5wD' },
        },
      ],
    });
    expect(usage).toEqual({ inputTokens: 50, outputTokens: 83, reasoningTokens: 68 });
  });

  it('rule 4: keeps a signature that comes in a part of its own', () => {
    const [choice] = read(recorded('a signature in a last part without text')).choices;
    expect(choice?.blocks).toEqual([
      { type: 'text', text: 'Four', signature: { wire: 'gemini', value: 'EpcGCpQGAXLI2nwMdJvMR' } },
    ]);
  });

  it('goes on after a finish reason that stands in every event', () => {
    const { choices, usage } = read(recorded('a finish reason in every event, as Vertex AI sent it'));
    expect(choices).toEqual([{ blocks: [{ type: 'text', text: 'one two' }], finish: 'stop' }]);
    expect(usage).toEqual({ inputTokens: 3, outputTokens: 4, serviceTier: 'on_demand' });
  });

  it('keeps what Google ran itself, counts its tokens, and gives its pages as annotations', () => {
    const { choices, usage } = read(recorded('code that Google ran'));
    expect(choices[0]?.blocks.map((block) => (block.type === 'opaque' ? block.name : block.type))).toEqual([
      'text',
      'executableCode',
      'codeExecutionResult',
      'text',
    ]);
    expect(choices[0]?.extras?.['openai-chat']).toEqual({
      annotations: [
        {
          type: 'url_citation',
          url_citation: { url: 'https://example.com/sum', title: 'Sums', start_index: 0, end_index: 0 },
        },
      ],
    });
    expect(usage).toEqual({ inputTokens: 45, outputTokens: 30 });
  });

  it('reads a blocked prompt and interleaved candidates', () => {
    expect(read(recorded('a blocked prompt')).choices).toEqual([{ blocks: [], finish: 'content_filter' }]);
    expect(read(recorded('two candidates')).choices).toEqual([
      { blocks: [{ type: 'text', text: 'A' }], finish: 'stop' },
      { blocks: [{ type: 'text', text: 'BC' }], finish: 'length' },
    ]);
  });

  it.each([
    ['overloaded', 503],
    ['rateLimit', 429],
    ['overflow', 400],
  ] as const)('maps an error of status 200 by its own name: %s', (name, status) => {
    const reader = GEMINI.readStream(context);
    const { body } = GEMINI_ERRORS[name];
    for (const data of [body, `[${body}]`]) {
      expect(() => reader.read({ event: '', data }, [])).toThrow(expect.objectContaining({ status }) as Error);
    }
  });

  it('a malformed function call is a failure, not a response', () => {
    const data = '{"candidates":[{"content":{},"finishReason":"MALFORMED_FUNCTION_CALL","index":0}]}';
    expect(() => read([data])).toThrow(GatewayError);
  });

  const streams = Object.entries(GEMINI_STREAMS);

  it.each(streams)('any mutation gives a whole response or an error: %s', (_, events) => {
    const whole = read(events);
    const mutation = fc.oneof(
      fc.record({ kind: fc.constantFrom('drop', 'repeat', 'swap'), at: fc.nat(events.length) }),
      fc.record({ kind: fc.constant('cut'), at: fc.nat(events.length), length: fc.nat(200) }),
      fc.record({
        kind: fc.constant('value'),
        at: fc.nat(events.length),
        member: fc.nat(60),
        value: fc.jsonValue({ maxDepth: 1 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const mutated = mutations.reduce<readonly string[]>(mutate, events);
        let result: CanonicalResult;
        try {
          result = read(mutated);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          return;
        }
        for (const { finish } of result.choices) expect(finish).toBeDefined();
      }),
      { numRuns: 150 },
    );
    expect(whole.choices.length).toBeGreaterThan(0);
  });

  it.each(streams.filter(([name]) => !name.startsWith('a finish reason') && !name.startsWith('a blocked')))(
    'a stream that was cut is never a success: %s',
    (_, events) => {
      for (let length = 0; length < events.length; length += 1) {
        expect(() => read(events.slice(0, length))).toThrow(GatewayError);
      }
    },
  );
});

interface Mutation {
  readonly kind: string;
  readonly at: number;
  readonly length?: number;
  readonly member?: number;
  readonly value?: unknown;
}

function mutate(events: readonly string[], { kind, at, length = 0, member = 0, value }: Mutation): readonly string[] {
  if (events.length === 0) return events;
  const place = at % events.length;
  const event = events[place] ?? '';
  switch (kind) {
    case 'drop':
      return events.toSpliced(place, 1);
    case 'repeat':
      return events.toSpliced(place, 0, event);
    case 'swap':
      return [...events.slice(place), ...events.slice(0, place)];
    case 'cut':
      return events.with(place, event.slice(0, length));
    default: {
      let count = 0;
      try {
        const changed: unknown = JSON.parse(event, (_, each: unknown) => {
          count += 1;
          return count === member ? value : each;
        });
        return events.with(place, JSON.stringify(changed));
      } catch {
        return events;
      }
    }
  }
}
