import fc from 'fast-check';
import { ChunkReader } from '../../wire/openai-chat/chunk-reader.js';
import type { CanonicalChunk } from '../../operations/chat/canonical/canonical-result.js';
import type { ChatCompletionChunk, ChatRequest, Delta } from '../../operations/chat/chat-completion.js';
import { PreserializedChunk, type StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { SourcedChunk } from '../../operations/chat/sourced-chunk.js';
import { SplicedChunk } from '../../operations/chat/spliced-chunk.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { ProviderCall } from '../../providers/provider.js';
import type { Deployment } from '../../routing/resolved-model.js';
import { ChunkWriter } from '../../wire/openai-chat/chunk-writer.js';
import type { PreparedAttempt } from '../prepared-attempt.js';
import { ChatRecovery, type RecoveryOptions } from './chat-recovery.js';
import { PrefillSupport } from './prefill.js';
import { Contradiction } from './text-join.js';

const TOKENS = Array.from({ length: 60 }, (_, at) => `${at === 0 ? '' : ' '}word${at}`);
const ANSWER = TOKENS.join('');
const REQUEST: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_tokens: 100 };
const PROVIDER = { name: 'p' };
const DEPLOYMENT = {
  id: 'p/two',
  baseUrl: 'http://127.0.0.1/v1',
  upstreamModel: 'two',
  provider: PROVIDER,
} as unknown as Deployment;

type Form = 'parsed' | 'serialized' | 'sourced';

function chunkOf(delta: Delta, finish: 'stop' | null = null, id = 'one'): ChatCompletionChunk {
  const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
  return { id, object: 'chat.completion.chunk', created: 1, model: 'm', choices: [choice] };
}

/** The chunks of a response as each kind of provider gives them. */
function response(tokens: readonly string[], form: Form, id = 'one', thinking = ''): StreamedChunk[] {
  if (form === 'sourced') return sourced(tokens, id, thinking);
  const text = (content: string): StreamedChunk =>
    form === 'parsed' || content === ''
      ? chunkOf({ content }, null, id)
      : new PreserializedChunk(
          `{"id":"${id}","choices":[{"index":0,"delta":{"content":"`,
          content,
          '"},"finish_reason":null}]}',
        );
  return [
    chunkOf({ role: 'assistant', content: '' }, null, id),
    ...(thinking === '' ? [] : [chunkOf({ reasoning_content: thinking }, null, id)]),
    ...tokens.map((token, at) => (at === 0 ? chunkOf({ content: token }, null, id) : text(token))),
    chunkOf({}, 'stop', id),
    { ...chunkOf({}, null, id), choices: [], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } },
  ];
}

function sourced(tokens: readonly string[], id: string, thinking: string): StreamedChunk[] {
  const text = thinking === '' ? 0 : 1;
  const events: CanonicalChunk[] = [
    { type: 'start', id, model: 'm' },
    ...(thinking === ''
      ? []
      : ([
          { type: 'block_start', choice: 0, index: 0, block: { type: 'thinking' } },
          { type: 'delta', choice: 0, index: 0, text: thinking },
          { type: 'block_end', choice: 0, index: 0 },
        ] as const)),
    { type: 'block_start', choice: 0, index: text, block: { type: 'text' } },
    ...tokens.map((token): CanonicalChunk => ({ type: 'delta', choice: 0, index: text, text: token })),
    { type: 'block_end', choice: 0, index: text },
    { type: 'usage', usage: { inputTokens: 5, outputTokens: 7 } },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'end' },
  ];
  const writer = new ChunkWriter({ model: 'm', now: 1_000 });
  return events.map((event) => {
    const chunks: ChatCompletionChunk[] = [];
    writer.write(event, chunks);
    return new SourcedChunk('anthropic', `event: ${event.type}\n\n`, [event], chunks);
  });
}

/** What a client of OpenAI's format makes of chunks. */
function clientView(chunks: readonly StreamedChunk[]) {
  const flat = chunks.flatMap((chunk): ChatCompletionChunk[] => {
    if (chunk instanceof SourcedChunk) return [...chunk.chunks];
    return [chunk instanceof PreserializedChunk ? chunk.toChunk() : chunk];
  });
  const choices = flat.flatMap((chunk) => chunk.choices);
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    thinking: choices.map(({ delta }) => (delta['reasoning_content'] as string | undefined) ?? '').join(''),
    roles: choices.filter(({ delta }) => delta.role !== undefined).length,
    finishes: choices.filter(({ finish_reason: reason }) => reason != null).length,
    ids: [...new Set(flat.map(({ id }) => id))],
    usage: flat.flatMap(({ usage }) => usage ?? []),
    marks: flat.flatMap((chunk) => chunk['x_gateway_recovered'] ?? []),
  };
}

/** Whether the blocks of all chunks follow each other as every writer expects it. */
function expectOrder(chunks: readonly StreamedChunk[]): void {
  const events: CanonicalChunk[] = [];
  const reader = new ChunkReader();
  for (const chunk of chunks) {
    if (chunk instanceof SourcedChunk) events.push(...chunk.events);
    else reader.read(chunk instanceof PreserializedChunk ? chunk.toChunk() : chunk, events);
  }
  let open: number | undefined;
  let next = 0;
  for (const event of events) {
    if (event.type === 'block_start') {
      expect([open, event.index]).toEqual([undefined, next]);
      open = next++;
    } else if (event.type === 'delta') expect(event.index).toBe(open);
    else if (event.type === 'block_end') open = undefined;
  }
  expect(open).toBeUndefined();
  expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
  expect(events.at(-1)?.type).toBe('end');
}

interface Second {
  readonly options?: Partial<RecoveryOptions>;
  /** The second response, by the request that the deployment got. */
  readonly answer: (request: ChatRequest) => readonly StreamedChunk[];
  readonly refuses?: (request: ChatRequest) => boolean;
}

interface Recovered {
  readonly chunks: StreamedChunk[];
  readonly error: unknown;
  readonly asked: ChatRequest[];
}

/** Sends the first chunks, breaks the stream, and lets a second deployment go on. */
async function recovered(first: readonly StreamedChunk[], second: Second, request = REQUEST): Promise<Recovered> {
  const prefills = new PrefillSupport();
  const recovery = new ChatRecovery(request, { mode: 'continue', holdBack: 0, prefills, ...second.options });
  const chunks: StreamedChunk[] = [];
  const asked: ChatRequest[] = [];
  for (const chunk of first) chunks.push(...recovery.pass([chunk]));
  if (!recovery.isPossible) return { chunks, error: 'not possible', asked };
  recovery.broke();
  const port = {
    open: (call: ProviderCall) => {
      asked.push(call.request);
      if (second.refuses?.(call.request) === true) {
        return Promise.reject(invalidRequest('This model does not support assistant message prefill.', 'messages'));
      }
      return Promise.resolve(groups(second.answer(call.request)));
    },
  };
  const providerCall = { request: recovery.requestFor(DEPLOYMENT) };
  const prepared = { port, providerCall, attempt: { slot: { deployment: DEPLOYMENT } } };
  try {
    const opened = await recovery.open(prepared as unknown as PreparedAttempt<'chat'>);
    for await (const group of opened) chunks.push(...recovery.pass(group));
    chunks.push(...recovery.end());
    return { chunks, error: undefined, asked };
  } catch (error) {
    return { chunks, error, asked };
  }
}

async function* groups(chunks: readonly StreamedChunk[]): AsyncGenerator<readonly StreamedChunk[]> {
  await Promise.resolve();
  for (const chunk of chunks) yield [chunk];
}

function isPrefilled({ messages }: ChatRequest): boolean {
  return messages.at(-1)?.role === 'assistant';
}

/** The rest behind the text of the last turn, or all. */
function goesOn(form: Form): Second['answer'] {
  return ({ messages }) => {
    const last = messages.at(-1);
    const sent = last?.role === 'assistant' ? (last.content as string) : '';
    expect(ANSWER.startsWith(sent)).toBe(true);
    const rest = ANSWER.slice(sent.length);
    return response(rest === '' ? [''] : rest.split(/(?= )/), form, 'two', sent === '' ? '' : 'hm');
  };
}

const FORMS = ['parsed', 'serialized', 'sourced'] as const;

describe('a stream that breaks', () => {
  describe.each(FORMS)('from a provider whose chunks are %s', (form) => {
    it.each(FORMS)('is whole after a cut at every token, when one whose chunks are %s goes on', async (other) => {
      const whole = response(TOKENS, form);
      for (let cut = 0; cut <= 61; cut += 1) {
        for (const mode of ['continue', 'restart'] as const) {
          const second = { options: { mode, holdBack: cut % 2 === 0 ? 0 : 5 }, answer: goesOn(other) };
          const { chunks, error } = await recovered(whole.slice(0, cut), second);
          const { text, thinking, roles, finishes, ids, usage, marks } = clientView(chunks);
          const prompt = usage[0]?.prompt_tokens ?? 0;
          expect([error, text, thinking, roles, finishes, ids.length, usage.length, marks, prompt > 5]).toEqual([
            undefined,
            ANSWER,
            '',
            1,
            1,
            1,
            1,
            [1, 1],
            true,
          ]);
          expectOrder(chunks);
        }
      }
    });
  });

  it('is cut anywhere in a token, and its text is never wrong: whole, or an error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: ANSWER.length }),
        fc.constantFrom('continue' as const, 'restart' as const),
        fc.integer({ min: 0, max: 8 }),
        fc.option(fc.integer({ min: 0, max: 59 })),
        async (at, mode, holdBack, other) => {
          const first = response([ANSWER.slice(0, at)], 'parsed').slice(0, 2);
          const words = TOKENS.map((token, index) => (index === other ? ' other' : token));
          const second: Second = {
            options: { mode, holdBack },
            answer: (request) => (isPrefilled(request) ? goesOn('parsed')(request) : response(words, 'parsed', 'two')),
          };
          const { chunks, error } = await recovered(first, second);
          const { text } = clientView(chunks);
          if (error === undefined) expect([ANSWER, words.join('')]).toContain(text);
          else expect([error instanceof Contradiction, ANSWER.startsWith(text)]).toEqual([true, true]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each(FORMS)(
    'has one block of text, also where the rest of %s could be a repetition until it ends',
    async (form) => {
      const tokens = ['The end.', ' It is the', ' end', '.'];
      for (let cut = 1; cut <= tokens.length; cut += 1) {
        const first = response(tokens, 'sourced').slice(0, cut + 2);
        const rest = tokens.slice(cut);
        const second: Second = { answer: () => response(rest.length === 0 ? [''] : rest, form, 'two') };
        const { chunks, error } = await recovered(first, second);
        expect([error, clientView(chunks).text]).toEqual([undefined, tokens.join('')]);
        expectOrder(chunks);
        const events = chunks.flatMap((chunk) => (chunk instanceof SourcedChunk ? chunk.events : []));
        expect(events.filter(({ type }) => type === 'block_start')).toHaveLength(1);
      }
    },
  );

  it('is restarted where the deployment refuses to go on, which is remembered', async () => {
    const prefills = new PrefillSupport();
    const first = response(TOKENS, 'parsed').slice(0, 40);
    const second: Second = { options: { prefills }, answer: goesOn('parsed'), refuses: isPrefilled };
    const { chunks, asked } = await recovered(first, second);
    expect([clientView(chunks).text, asked.map(isPrefilled)]).toEqual([ANSWER, [true, false]]);
    expect(prefills.takes(DEPLOYMENT)).toBe(false);
    expect((await recovered(first, second)).asked.map(isPrefilled)).toEqual([false]);
  });

  it('hides a difference in tokens that were held back, and only there', async () => {
    const first = response(TOKENS, 'parsed').slice(0, 31);
    const words = (from: number): string[] => TOKENS.map((token, at) => (at < from ? token : ` new${at}`));
    const answer = (from: number): Second => ({
      options: { mode: 'restart', holdBack: 10 },
      answer: () => response(words(from), 'parsed', 'two'),
    });
    expect(clientView((await recovered(first, answer(25))).chunks).text).toBe(words(25).join(''));
    const contradicted = await recovered(first, answer(15));
    expect(contradicted.error).toBeInstanceOf(Contradiction);
    expect(clientView(contradicted.chunks).text).toBe(TOKENS.slice(0, 20).join(''));
  });

  it('begins again where only thinking was sent', async () => {
    for (const form of FORMS) {
      const thought = response([], form, 'one', 'let me see');
      const first = thought.slice(
        0,
        thought.findIndex((chunk) => clientView([chunk]).finishes > 0),
      );
      const second = { answer: () => response(TOKENS, form, 'two', 'again') };
      const { chunks, asked } = await recovered(first.slice(0, 3), second);
      expect(clientView(chunks)).toMatchObject({ text: ANSWER, thinking: 'let me seeagain' });
      expect(asked.map(isPrefilled)).toEqual([false]);
      expectOrder(chunks);
    }
  });

  it.each<[string, Partial<ChatRequest>]>([
    ['several responses', { n: 2 }],
    ['log probabilities', { logprobs: true }],
    ['the older form of tools', { functions: [] }],
  ])('is not recovered with %s', async (_what, fields) => {
    const first = response(TOKENS, 'parsed').slice(0, 9);
    expect((await recovered(first, { answer: goesOn('parsed') }, { ...REQUEST, ...fields })).error).toBe(
      'not possible',
    );
  });

  it('is not recovered once a tool is called or the response has finished, and goes on to a call of one', async () => {
    const call = chunkOf({
      tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{' } }],
    });
    const first = response(TOKENS, 'parsed');
    expect((await recovered([...first.slice(0, 5), call], { answer: goesOn('parsed') })).error).toBe('not possible');
    expect((await recovered(first.slice(0, 62), { answer: goesOn('parsed') })).error).toBe('not possible');
    const answer = (): StreamedChunk[] => [chunkOf({ content: ' so' }), call, chunkOf({}, 'stop')];
    const { chunks, error } = await recovered(first.slice(0, 5), { answer });
    expect(error).toBeUndefined();
    expect(clientView(chunks).text).toBe(`${TOKENS.slice(0, 4).join('')} so`);
    expectOrder(chunks);
  });

  it('restarts structured output, which no deployment goes on with', async () => {
    const json = ['{"a":', ' 1,', ' "b":', ' 2}'];
    const first = response(json, 'parsed').slice(0, 3);
    const request: ChatRequest = { ...REQUEST, response_format: { type: 'json_object' } };
    const { chunks, asked } = await recovered(first, { answer: () => response(json, 'parsed', 'two') }, request);
    expect([clientView(chunks).text, asked.map(isPrefilled)]).toEqual([json.join(''), [false]]);
  });

  it('asks for the rest alone: fewer tokens, and no thinking', async () => {
    const first = response(TOKENS, 'parsed').slice(0, 40);
    const request: ChatRequest = { ...REQUEST, max_tokens: 100, reasoning_effort: 'high' };
    const { asked } = await recovered(first, { answer: goesOn('parsed') }, request);
    expect(asked[0]?.max_tokens).toBeLessThan(60);
    expect(asked[0]?.['reasoning_effort']).toBeUndefined();
  });

  it('keeps the usage of the deployment that goes on apart from the sum', async () => {
    const { chunks } = await recovered(response(TOKENS, 'parsed').slice(0, 40), { answer: goesOn('parsed') });
    const own = chunks.flatMap((chunk) => (chunk instanceof SplicedChunk ? (chunk.usage ?? []) : []));
    expect(own).toEqual([{ prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }]);
    expect(clientView(chunks).usage[0]?.completion_tokens).toBeGreaterThan(40);
  });
});
