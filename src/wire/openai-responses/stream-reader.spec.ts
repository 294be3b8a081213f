import fc from 'fast-check';
import { collect } from '../../../test/fixtures/canonical-streams.js';
import { RECORDINGS, responseOf } from '../../../test/fixtures/responses-recordings.js';
import { GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalChunk, CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { ReadContext } from '../wire-format.js';
import { OPENAI_RESPONSES } from './openai-responses-wire.js';

const CONTEXT: ReadContext = { upstreamModel: 'm', redact: (text) => text, now: 0 };
const NAMES = Object.keys(RECORDINGS) as (keyof typeof RECORDINGS)[];

function read(events: readonly JsonObject[]): CanonicalResult {
  const reader = OPENAI_RESPONSES.readStream(CONTEXT);
  const out: CanonicalChunk[] = [];
  for (const event of events) {
    reader.read({ event: typeof event['type'] === 'string' ? event['type'] : '', data: JSON.stringify(event) }, out);
    if (reader.isDone) break;
  }
  reader.end(out);
  return collect(out);
}

/** The text, in however many blocks, and the calls, which a client must get whole. */
function visible({ choices: [choice] }: CanonicalResult): string[] {
  const blocks = choice?.blocks ?? [];
  const text = blocks.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const calls = blocks.flatMap((block) =>
    block.type === 'tool_call' ? [`call ${block.name} ${block.id} ${block.input}`] : [],
  );
  return [...calls.toSorted(), ...(text === '' ? [] : [`text ${text}`])];
}

describe('recorded streams', () => {
  it.each(NAMES)('%s: says the same as the whole response', (name) => {
    const events = RECORDINGS[name];
    const [streamed, whole] = [read(events), OPENAI_RESPONSES.readResponse(responseOf(events), CONTEXT)];
    expect(visible(streamed)).toEqual(visible(whole));
    expect(streamed.usage).toEqual(whole.usage);
    expect(streamed.choices[0]?.finish).toBe(whole.choices[0]?.finish);
  });

  it('reasoning has its summary and its signature, calls have their ids', () => {
    const { choices, usage } = read(RECORDINGS['reasoning and calls']);
    expect(choices[0]).toMatchObject({
      finish: 'tool_calls',
      blocks: [
        {
          type: 'thinking',
          text: '**Looking at the weather**\n\nThe user wants two cities.\n\n**Calling the tool**',
          signature: { wire: 'openai-responses', value: expect.stringMatching(/^gAAAAABoISQ/) as string },
        },
        { type: 'tool_call', id: 'call_unLAR8MvFNptuiZK6K6HCy5k', input: '{"location":"Paris","unit":"celsius"}' },
        { type: 'tool_call', id: 'call_9LAR8MvFNptuiZK6K6HCy5kQ' },
      ],
    });
    expect(usage).toMatchObject({ inputTokens: 291, cachedTokens: 128, outputTokens: 223, reasoningTokens: 192 });
  });

  it('a tool that the provider runs is kept as it is', () => {
    expect(read(RECORDINGS['web search']).choices[0]?.blocks).toMatchObject([
      { type: 'opaque', name: 'web_search_call', value: { type: 'web_search_call' } },
      { type: 'text', text: 'Good story: the forest grows.' },
    ]);
  });
});

describe('streams that differ from OpenAI’s', () => {
  const text = RECORDINGS.text;

  it('needs neither beginnings nor the ends of parts and items', () => {
    for (const left of ['response.output_text.delta', 'response.completed']) {
      const events = text.filter(({ type }) => type === left || type === 'response.completed');
      expect(visible(read(events))).toEqual(['text Hi there! How can I assist you today?']);
    }
  });

  it('takes a last event without its output', () => {
    const events = text.map((event) =>
      event.type === 'response.completed' ? { ...event, response: { status: 'completed', output: [] } } : event,
    );
    expect(visible(read(events))).toEqual(['text Hi there! How can I assist you today?']);
  });

  it.each([
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'Slow down' }, 429],
    [{ type: 'error', error: { type: 'server_error', code: 'server_is_overloaded', message: 'x' } }, 503],
    [{ error: { message: 'maximum context length is 10', code: 'context_length_exceeded' } }, 400],
    [{ type: 'response.failed', response: { error: { code: 'server_error', message: 'x' } } }, 502],
    [{ type: 'response.failed', response: { error: { code: 'rate_limit_exceeded', message: 'x' } } }, 429],
    [{ type: 'response.failed', response: {} }, 502],
  ])('a failure within the stream is mapped by its code: %j', (event, status) => {
    let error: unknown;
    try {
      read([...text.slice(0, 5), event]);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ status });
  });

  it('a call that the whole item names otherwise is a contradiction, wherever the events say its place', () => {
    for (const member of ['call_id', 'name']) {
      for (const type of ['response.output_item.done', 'response.completed']) {
        const events = RECORDINGS['reasoning and calls'].map((event) => {
          if (event.type !== type) return event;
          const text = JSON.stringify(event);
          return JSON.parse(text.replace(new RegExp(`"${member}":"[^"]+"`), `"${member}":"another"`)) as typeof event;
        });
        expect(() => read(events)).toThrow(GatewayError);
      }
    }
    // The beginning of the second call takes the place of the first.
    const [second] = RECORDINGS['reasoning and calls'].filter(
      ({ type, ...event }) =>
        type === 'response.output_item.added' && JSON.stringify(event).includes('call_9LAR8MvFNptuiZK6K6HCy5k'),
    );
    const { output_index: _place, ...misplaced } = { ...second };
    expect(() => read([misplaced, ...RECORDINGS['reasoning and calls']])).toThrow(GatewayError);
  });

  it('any mutation gives the whole response or an error, never a part that looks whole', () => {
    const mutation = fc.record({
      kind: fc.constantFrom('drop', 'repeat', 'swap', 'cut', 'rename', 'retype', 'remove member'),
      at: fc.nat(),
      other: fc.nat(),
      value: fc.constantFrom<unknown>(null, 5, 'x', [], {}, true),
    });
    let whole = 0;
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), fc.array(mutation, { minLength: 1, maxLength: 2 }), (name, mutations) => {
        let events: JsonObject[] = [...RECORDINGS[name]];
        for (const { kind, at, other, value } of mutations) {
          const index = at % events.length;
          const event = events[index] ?? {};
          const members = Object.keys(event);
          const member = members[other % members.length] ?? 'type';
          if (kind === 'drop') events = events.toSpliced(index, 1);
          else if (kind === 'repeat') events = events.toSpliced(index, 0, event);
          else if (kind === 'swap') events = events.toSpliced(index, 1).toSpliced(other % events.length, 0, event);
          else if (kind === 'cut') events = events.slice(0, index + 1);
          else if (kind === 'rename') events = events.with(index, { ...event, type: 'response.unheard.of' });
          else if (kind === 'retype') events = events.with(index, { ...event, [member]: value });
          else events = events.with(index, Object.fromEntries(Object.entries(event).filter(([key]) => key !== member)));
          if (events.length === 0) return;
        }
        const expected = visible(OPENAI_RESPONSES.readResponse(responseOf(RECORDINGS[name]), CONTEXT));
        let result: CanonicalResult;
        try {
          result = read(events);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          return;
        }
        whole += 1;
        // A repeated delta looks like a longer text at its own event, and is found by the last one.
        const last = events.find(({ type }) => type === 'response.completed');
        const said = (last?.['response'] as JsonObject | undefined)?.['output'];
        if (Array.isArray(said) && said.length > 0) expect(visible(result)).toEqual(expected);
      }),
      { numRuns: 1_500 },
    );
    expect(whole).toBeGreaterThan(100);
  });
});
