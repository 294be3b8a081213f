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

interface NativePath {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly path: (model: string) => string;
  /** Members of a request with its prompt, as JSON text. */
  readonly request: (prompt: string) => readonly (readonly [string, string])[];
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
    (_name, { provider: name, model, path, request, response, keepsBytes }) => {
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
    },
  );
});

/** The gateway writes members of chat's responses in an order of its own. */
function sorted(tokens: readonly string[]): string[] {
  return tokens.toSorted();
}
