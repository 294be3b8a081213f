import fc from 'fast-check';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import { PreserializedChunk, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { StreamNormaliser } from './stream-normaliser.js';

const OPTIONS = { upstreamModel: 'up', redact: (text: string) => text, now: 1_750_000_000_000, expectedChoices: 1 };

/** What the normaliser makes of events, each printed in full. */
function outcome(events: readonly string[], learns: boolean): { chunks: string[]; plain: number; error?: string } {
  const normaliser = new StreamNormaliser({ ...OPTIONS, learns });
  const out: StreamedChunk[] = [];
  const result: { chunks: string[]; plain: number; error?: string } = { chunks: [], plain: 0 };
  try {
    for (const data of events) normaliser.push({ event: '', data }, out);
    normaliser.end(out);
  } catch (error) {
    result.error = String(error);
  }
  result.plain = out.filter((chunk) => chunk instanceof PreserializedChunk).length;
  // An id that was missing is made up by chance.
  result.chunks = out.map((chunk) =>
    (chunk instanceof PreserializedChunk ? chunk.json : JSON.stringify(chunk)).replace(
      /chatcmpl-[0-9a-f]{20,}/,
      'made up',
    ),
  );
  return result;
}

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(' Hello', ' Ada', ', grüß dich', '👋') },
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '\\', '"content":"x', '\n'),
);
const delta = fc.oneof(
  { weight: 8, arbitrary: text.map((content) => ({ content })) },
  text.map((content) => ({ role: 'assistant', content })),
  text.map((reasoning) => ({ content: 'x', reasoning_content: reasoning })),
  fc.constant({}),
  fc.constant({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '{}' } }] }),
);
const usual = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
const envelope = fc.constantFrom(
  ...Array.from({ length: 12 }, () => usual),
  { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', usage: null },
  { id: 'chatcmpl-2', object: 'chat.completion.chunk', created: 2, model: 'm', content: 'y' },
  { model: 'm', x: { content: 'z' } },
);
const chunk = fc
  .record({
    envelope,
    delta,
    index: fc.constantFrom(0, 0, 0, 0, 0, 0, 1),
    finish: fc.constantFrom(...Array.from({ length: 12 }, () => null), 'stop'),
    usage: fc.constantFrom(...Array.from({ length: 8 }, () => undefined), {
      prompt_tokens: 1,
      completion_tokens: 2,
      total_tokens: 3,
    }),
  })
  .map(({ envelope: head, delta: says, index, finish, usage }) =>
    JSON.stringify({ ...head, choices: [{ index, delta: says, logprobs: null, finish_reason: finish }], usage }),
  );

describe('TextPattern', () => {
  it('does not change the result of any stream', () => {
    let plain = 0;
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), (events) => {
        const learned = outcome(events, true);
        plain += learned.plain;
        const full = outcome(events, false);
        expect({ ...learned, plain: 0 }).toEqual(full);
      }),
      { numRuns: 1_000 },
    );
    expect(plain).toBeGreaterThan(300);
  });

  it('takes the usual stream without parsing more than its first words', () => {
    const event = (content: string): string =>
      `{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content": "${content}"},"finish_reason":null}]}`;
    const { plain, chunks } = outcome(
      [event('one'), event(' two'), event(' three'), event(' fo\\"ur'), event(' five'), event(' six')],
      true,
    );
    expect(plain).toBe(2);
    expect(chunks.map((json) => (JSON.parse(json) as ChatCompletionChunk).choices[0]?.delta.content)).toEqual([
      'one',
      ' two',
      ' three',
      ' fo"ur',
      ' five',
      ' six',
    ]);
  });
});
