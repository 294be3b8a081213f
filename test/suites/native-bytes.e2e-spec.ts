import fc from 'fast-check';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { ReplayProvider } from '../upstreams/replay-provider.js';

const RUNS = 25;

/** JSON text as its tokens: strings by their value, numbers by their digits, white space left out. */
function tokensOf(json: string): string[] {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[{}[\],:]|true|false|null/gs) ?? [];
  return tokens.map((token) => (token.startsWith('"') ? `"${JSON.parse(token) as string}` : token));
}

/** JSON text with random white space between its tokens and random escapes in its strings. */
function spelled(json: string, spaces: readonly string[], escapes: readonly boolean[]): string {
  let position = 0;
  const next = <Value>(values: readonly Value[]): Value => values[(position += 1) % values.length]!;
  return json.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]/gs, (token) => {
    if (!token.startsWith('"')) return `${token}${next(spaces)}`;
    return token.replace(/\\u[\da-f]{4}|\\.|[^\\"]/gisu, (character) => {
      const isPlain = character.length === 1 && character !== '\\';
      return isPlain && next(escapes) ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character;
    });
  });
}

const LONG = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n });
const FRACTION = fc.constantFrom('0.5', '-2.25', '1.5e-7', '0', '-17');
/** Names that objects of JavaScript have already, that differ by their case alone, or that begin as a number does. */
const NAME = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'Model',
    'MODEL',
    'model ',
    '1a',
    '',
    'é',
    '\ud83d\ude00',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((name) => !/^\d+$/.test(name)),
);
const STRING = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('\u2028', '\u0000', '</script>', '"', '\\u0041', '9007199254740993'),
);
/** JSON text of any value, whose numbers have more digits than a double. */
const { value: VALUE } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    STRING.map((text) => JSON.stringify(text)),
    LONG.map(String),
    FRACTION,
    fc.constantFrom('true', 'false', 'null', '{}', '[]'),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(',')}]`),
    fc.uniqueArray(fc.tuple(NAME, tie('value')), { maxLength: 4, selector: ([name]) => name }).map(textOfMembers),
  ),
}));

function textOfMembers(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

const UNKNOWN = fc.uniqueArray(
  fc.tuple(
    NAME.map((name) => `x_${name}`),
    VALUE,
  ),
  { minLength: 1, maxLength: 4, selector: ([name]) => name },
);
const SPACES = fc.array(fc.constantFrom('', ' ', '\n', '\t\r\n  '), { minLength: 1, maxLength: 7 });
const ESCAPES = fc.array(fc.boolean(), { minLength: 1, maxLength: 11 });

/** One event of a stream. */
interface StreamedEvent {
  /** Empty for none. */
  readonly event: string;
  /** Members of its JSON. */
  readonly members: readonly (readonly [string, string])[];
}

const event = (type: string, ...members: readonly (readonly [string, string])[]): StreamedEvent => ({
  event: type,
  members: [['type', JSON.stringify(type)], ...members],
});
const data = (...members: readonly (readonly [string, string])[]): StreamedEvent => ({ event: '', members });
const chunk = (choices: string): StreamedEvent =>
  data(
    ['id', '"chatcmpl-1"'],
    ['object', '"chat.completion.chunk"'],
    ['created', '1770933883'],
    ['model', '"gpt-x"'],
    ['choices', choices],
  );
const ITEM =
  '{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}';
const RESPONSE_HEAD = '"id":"resp_1","object":"response","created_at":1770933883,"model":"gpt-x"';
const RESPONSE_USAGE =
  '{"input_tokens":1,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2}';

interface NativePath {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly path: (model: string) => string;
  /** Members of a request with its prompt, as JSON text. */
  readonly request: (prompt: string) => readonly (readonly [string, string])[];
  /** The path of a stream, where it is another one. */
  readonly streamPath?: (model: string) => string;
  /** The events of a streamed response. */
  readonly events: readonly StreamedEvent[];
  /** Members of a response. */
  readonly response: readonly (readonly [string, string])[];
  /** Whether a response has to reach the client byte by byte. Chat's is written anew, since most of its servers deviate. */
  readonly keepsBytes: boolean;
}

const PATHS: readonly NativePath[] = [
  {
    name: 'OpenAI chat',
    provider: 'openai',
    model: 'gpt-x',
    path: () => '/v1/chat/completions',
    request: (prompt) => [
      ['messages', `[{"role":"user","x_id":18446744073709551615,"content":${JSON.stringify(prompt)}}]`],
      ['seed', '9007199254740993'],
      // Which of the two a request asks for is always said.
      ['stream', 'false'],
    ],
    response: [
      ['id', '"chatcmpl-1"'],
      ['object', '"chat.completion"'],
      ['created', '1770933883'],
      ['model', '"gpt-x"'],
      [
        'choices',
        '[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,"finish_reason":"stop"}]',
      ],
      ['usage', '{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}'],
    ],
    keepsBytes: false,
    events: [
      chunk(
        '[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]',
      ),
      chunk('[{"index":0,"delta":{"content":"H","x_id":18446744073709551615},"logprobs":null,"finish_reason":null}]'),
      chunk('[{"index":0,"delta":{"content":"i"},"logprobs":null,"finish_reason":null}]'),
      chunk('[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]'),
    ],
  },
  {
    name: 'Responses',
    provider: 'responses',
    model: 'gpt-x',
    path: () => '/v1/responses',
    request: (prompt) => [
      ['store', 'false'],
      [
        'input',
        `[{"type":"x_future_item","x_id":18446744073709551615},{"role":"user","content":${JSON.stringify(prompt)}}]`,
      ],
    ],
    response: [
      ['id', '"resp_1"'],
      ['object', '"response"'],
      ['created_at', '1770933883'],
      ['status', '"completed"'],
      ['model', '"gpt-x"'],
      [
        'output',
        '[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}]',
      ],
      [
        'usage',
        '{"input_tokens":1,"input_tokens_details":{"cached_tokens":0},"output_tokens":1,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":2}',
      ],
    ],
    keepsBytes: true,
    events: [
      event(
        'response.created',
        ['response', `{${RESPONSE_HEAD},"status":"in_progress","output":[]}`],
        ['sequence_number', '0'],
      ),
      event(
        'response.in_progress',
        ['response', `{${RESPONSE_HEAD},"status":"in_progress","output":[]}`],
        ['sequence_number', '1'],
      ),
      event(
        'response.output_item.added',
        ['output_index', '0'],
        ['item', '{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}'],
        ['sequence_number', '2'],
      ),
      event('response.x_future', ['x_id', '18446744073709551615'], ['sequence_number', '3']),
      event(
        'response.content_part.added',
        ['item_id', '"msg_1"'],
        ['output_index', '0'],
        ['content_index', '0'],
        ['part', '{"type":"output_text","text":"","annotations":[]}'],
        ['sequence_number', '4'],
      ),
      event(
        'response.output_text.delta',
        ['item_id', '"msg_1"'],
        ['output_index', '0'],
        ['content_index', '0'],
        ['delta', '"Hi"'],
        ['sequence_number', '5'],
      ),
      event(
        'response.output_text.done',
        ['item_id', '"msg_1"'],
        ['output_index', '0'],
        ['content_index', '0'],
        ['text', '"Hi"'],
        ['sequence_number', '6'],
      ),
      event('response.output_item.done', ['output_index', '0'], ['item', ITEM], ['sequence_number', '7']),
      event(
        'response.completed',
        ['response', `{${RESPONSE_HEAD},"status":"completed","output":[${ITEM}],"usage":${RESPONSE_USAGE}}`],
        ['sequence_number', '8'],
      ),
    ],
  },
  {
    name: 'Anthropic Messages',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    path: () => '/v1/messages',
    request: (prompt) => [
      ['max_tokens', '10'],
      [
        'messages',
        `[{"role":"user","content":[{"type":"x_future_block","x_id":18446744073709551615},{"type":"text","text":${JSON.stringify(prompt)}}]}]`,
      ],
    ],
    response: [
      ['id', '"msg_1"'],
      ['type', '"message"'],
      ['role', '"assistant"'],
      ['model', '"claude-sonnet-4-5"'],
      ['content', '[{"type":"text","text":"Hi"},{"type":"x_future_block","x_id":18446744073709551615}]'],
      ['stop_reason', '"end_turn"'],
      ['stop_sequence', 'null'],
      ['usage', '{"input_tokens":1,"output_tokens":1}'],
    ],
    keepsBytes: true,
    events: [
      event('message_start', [
        'message',
        '{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}',
      ]),
      event('content_block_start', ['index', '0'], ['content_block', '{"type":"text","text":""}']),
      event('ping'),
      event('content_block_delta', ['index', '0'], ['delta', '{"type":"text_delta","text":"H"}']),
      event('x_future_event', ['x_id', '18446744073709551615']),
      event('content_block_delta', ['index', '0'], ['delta', '{"type":"text_delta","text":"i"}']),
      event('ping'),
      event('content_block_stop', ['index', '0']),
      event(
        'message_delta',
        ['delta', '{"stop_reason":"end_turn","stop_sequence":null}'],
        ['usage', '{"output_tokens":2}'],
      ),
      event('message_stop'),
    ],
  },
  {
    name: 'Gemini',
    provider: 'google',
    model: 'gemini-2.5-flash',
    path: (model) => `/v1beta/models/${model}:generateContent`,
    request: (prompt) => [
      ['contents', `[{"role":"user","parts":[{"x_future":18446744073709551615},{"text":${JSON.stringify(prompt)}}]}]`],
    ],
    response: [
      [
        'candidates',
        '[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP","index":0,"x_id":18446744073709551615}]',
      ],
      ['usageMetadata', '{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}'],
      ['modelVersion', '"gemini-2.5-flash"'],
    ],
    keepsBytes: true,
    streamPath: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    events: [
      data(
        ['candidates', '[{"content":{"parts":[{"text":"H"}],"role":"model"},"index":0,"x_id":18446744073709551615}]'],
        ['modelVersion', '"gemini-2.5-flash"'],
      ),
      data(['x_future', '18446744073709551615']),
      data(
        ['candidates', '[{"content":{"parts":[{"text":"i"}],"role":"model"},"finishReason":"STOP","index":0}]'],
        ['usageMetadata', '{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}'],
        ['modelVersion', '"gemini-2.5-flash"'],
      ),
    ],
  },
];

describe('native paths', () => {
  const provider = new ReplayProvider();
  let gateway: RunningGateway;

  beforeAll(async () => {
    await provider.start();
    gateway = await startGateway({
      config: {
        providers: provider.providers(PATHS.map(({ provider: name }) => name)),
        models: PATHS.map(({ provider: name, model }) => ({ id: name, deployments: [{ provider: name, model }] })),
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  describe.each(PATHS.map((each) => [each.name, each] as const))(
    '%s',
    (_name, { provider: name, model, path, streamPath = path, request, response, events, keepsBytes }) => {
      it('a request reaches the provider with each value, digit and member in its place, but for the model', async () => {
        await fc.assert(
          fc.asyncProperty(UNKNOWN, SPACES, ESCAPES, async (unknown, spaces, escapes) => {
            const prompt = provider.add({ pieces: [textOfMembers(response)] });
            const hasModel = path('x') === path('y');
            const membersFor = (modelId: string): string =>
              textOfMembers([
                ...(hasModel ? [['model', JSON.stringify(modelId)] as const] : []),
                ...unknown,
                ...request(prompt),
              ]);
            const sent = spelled(membersFor(name), spaces, escapes);
            expect(tokensOf(sent)).toEqual(tokensOf(membersFor(name)));
            const { status, text } = await gateway.admin.post(path(name), sent);
            expect([status, text]).toEqual([200, text]);
            const [received] = provider.requestsOf(prompt);
            expect(tokensOf(received?.body.toString() ?? '')).toEqual(tokensOf(membersFor(model)));
            expect(JSON.stringify(received?.headers)).not.toContain(gateway.adminKey);
          }),
          { numRuns: RUNS },
        );
      });

      it(`a response reaches the client ${keepsBytes ? 'byte by byte' : 'with each value, digit and member in its place'}`, async () => {
        await fc.assert(
          fc.asyncProperty(UNKNOWN, SPACES, ESCAPES, async (unknown, spaces, escapes) => {
            const plain = textOfMembers([...response, ...unknown]);
            const body = spelled(plain, spaces, escapes);
            const prompt = provider.add({ pieces: [body] });
            const hasModel = path('x') === path('y');
            const members = [...(hasModel ? [['model', JSON.stringify(name)] as const] : []), ...request(prompt)];
            const answer = await fetch(`${gateway.url}${path(name)}`, {
              method: 'POST',
              headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
              body: textOfMembers(members),
            });
            const text = Buffer.from(await answer.arrayBuffer()).toString();
            expect([answer.status, text]).toEqual([200, text]);
            if (keepsBytes) expect(text).toBe(body);
            else expect(sorted(tokensOf(text))).toEqual(sorted(tokensOf(plain)));
          }),
          { numRuns: RUNS },
        );
      });

      it(`a stream reaches the client ${keepsBytes ? 'byte by byte, wherever the bytes are split' : 'with each value, digit and member in its place'}`, async () => {
        await fc.assert(
          fc.asyncProperty(UNKNOWN, SPACES, ESCAPES, LAYOUT, async (unknown, spaces, escapes, layout) => {
            // A line of an event has no line end.
            const inLine = spaces.map((space) => space.replaceAll(/[\r\n]/g, ' '));
            const plain = events.map(({ members }) => textOfMembers([...members, ...unknown]));
            const body = events
              .map(({ event: type }, index) => frameOf(type, spelled(plain[index]!, inLine, escapes), index, layout))
              .join('');
            const prompt = provider.add({
              headers: { 'content-type': 'text/event-stream' },
              pieces: splitAt(Buffer.from(keepsBytes ? body : `${body}data: [DONE]\n\n`), layout.cuts),
            });
            const hasModel = path('x') === path('y');
            const members = [
              ...(hasModel
                ? ([
                    ['model', JSON.stringify(name)],
                    ['stream', 'true'],
                  ] as const)
                : []),
              ...request(prompt).filter(([member]) => member !== 'stream'),
            ];
            const answer = await fetch(`${gateway.url}${streamPath(name)}`, {
              method: 'POST',
              headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
              body: textOfMembers(members),
            });
            const text = Buffer.from(await answer.arrayBuffer()).toString();
            expect([answer.status, text]).toEqual([200, text]);
            if (keepsBytes) {
              expect(text).toBe(body);
              return;
            }
            const received = text.split('\n\n').filter((frame) => frame.startsWith('data: {'));
            expect(received.map((frame) => sorted(tokensOf(frame.slice('data: '.length))))).toEqual(
              plain.map((json) => sorted(tokensOf(json))),
            );
          }),
          { numRuns: RUNS },
        );
      });
    },
  );
});

/** How a server writes its frames, and where its bytes are split. */
const LAYOUT = fc.record({
  lineEnd: fc.constantFrom('\n', '\r\n'),
  space: fc.constantFrom(' ', ''),
  /** Lines that an event may have beside its data, by the place of the event. */
  extras: fc.array(fc.constantFrom('', 'id: 7', 'retry: 100', ': a comment', ':'), { minLength: 1, maxLength: 5 }),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
});
type Layout = typeof LAYOUT extends fc.Arbitrary<infer Value> ? Value : never;

function frameOf(type: string, json: string, index: number, { lineEnd, space, extras }: Layout): string {
  const extra = extras[index % extras.length] ?? '';
  const lines = [
    ...(type === '' ? [] : [`event:${space}${type}`]),
    ...(extra === '' ? [] : [extra]),
    `data:${space}${json}`,
  ];
  return `${lines.join(lineEnd)}${lineEnd}${lineEnd}`;
}

function splitAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((share) => Math.floor(share * bytes.length)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

/** The gateway writes members of chat's responses in an order of its own. */
function sorted(tokens: readonly string[]): string[] {
  return tokens.toSorted();
}
