import { Play, startUpstream, UPSTREAMS, type Upstream } from './exports.mjs';

type Json = Record<string, unknown>;

const SCHEMA = {
  type: 'object',
  properties: { path: { type: 'string' }, content: { type: 'string' } },
  required: ['path', 'content'],
};
const RESULTS_FIRST = /without|must be followed|No tool output|equal to the number|Expected toolResult/;

/** How one wire format writes a request; `calls` are those of a first turn, `results` their results. */
interface Writer {
  path(stream: boolean): string;
  headers: Record<string, string>;
  body(prompt: string, stream: boolean): Json;
  callsOf(response: Json): { id: string; block: Json }[];
  history(body: Json, calls: { id: string; block: Json }[], withResults: boolean): Json;
  textOf(response: Json): string;
}

interface ChatMessage {
  readonly content: string | null;
  readonly tool_calls?: { readonly id: string }[];
}

const chat: Writer = {
  path: () => '/v1/chat/completions',
  headers: { authorization: 'Bearer x' },
  body: (prompt, stream) => ({
    model: 'gpt-4.1',
    stream,
    messages: [{ role: 'user', content: prompt }],
    tools: [{ type: 'function', function: { name: 'write_file', parameters: SCHEMA } }],
  }),
  callsOf: (response) => {
    const { message } = (response.choices as [{ message: ChatMessage }])[0];
    return (message.tool_calls ?? []).map((call) => ({ id: call.id, block: { ...call } }));
  },
  history: (body, calls, withResults) => ({
    ...body,
    messages: [
      ...(body.messages as Json[]),
      { role: 'assistant', content: null, tool_calls: calls.map(({ block }) => block) },
      ...(withResults ? calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'written' })) : []),
    ],
  }),
  textOf: (response) => (response.choices as [{ message: ChatMessage }])[0].message.content ?? '',
};

const responses: Writer = {
  path: () => '/v1/responses',
  headers: { authorization: 'Bearer x' },
  body: (prompt, stream) => ({
    model: 'gpt-5',
    stream,
    input: [{ role: 'user', content: prompt }],
    tools: [{ type: 'function', name: 'write_file', parameters: SCHEMA }],
  }),
  callsOf: (response) =>
    (response.output as { type: string; call_id: string }[])
      .filter(({ type }) => type === 'function_call')
      .map((item) => ({ id: item.call_id, block: { ...item } })),
  history: (body, calls, withResults) => ({
    ...body,
    input: [
      ...(body.input as Json[]),
      ...calls.map(({ block }) => block),
      ...(withResults ? calls.map(({ id }) => ({ type: 'function_call_output', call_id: id, output: 'written' })) : []),
    ],
  }),
  textOf: (response) => JSON.stringify(response.output),
};

const anthropic: Writer = {
  path: () => '/v1/messages',
  headers: { 'x-api-key': 'x', 'anthropic-version': '2023-06-01' },
  body: (prompt, stream) => ({
    model: 'claude-sonnet-4-5',
    max_tokens: 1000,
    stream,
    messages: [{ role: 'user', content: prompt }],
    tools: [{ name: 'write_file', input_schema: SCHEMA }],
  }),
  callsOf: (response) =>
    (response.content as { type: string; id: string }[])
      .filter(({ type }) => type === 'tool_use')
      .map((block) => ({ id: block.id, block: { ...block } })),
  history: (body, calls, withResults) => ({
    ...body,
    messages: [
      ...(body.messages as Json[]),
      { role: 'assistant', content: calls.map(({ block }) => block) },
      ...(withResults
        ? [
            {
              role: 'user',
              content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'written' })),
            },
          ]
        : [{ role: 'user', content: 'Go on' }]),
    ],
  }),
  textOf: (response) => JSON.stringify(response.content),
};

interface GeminiPart {
  readonly functionCall?: { readonly name: string };
}

const gemini: Writer = {
  path: (stream) =>
    `/v1beta/models/gemini-3-pro-preview:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  headers: { 'x-goog-api-key': 'x' },
  body: (prompt) => ({
    contents: [{ role: 'user', parts: [{ text: prompt }] }],
    tools: [{ functionDeclarations: [{ name: 'write_file', parametersJsonSchema: SCHEMA }] }],
  }),
  callsOf: (response) =>
    (response.candidates as [{ content: { parts: GeminiPart[] } }])[0].content.parts
      .filter((part) => part.functionCall !== undefined)
      .map((part) => ({ id: part.functionCall?.name ?? '', block: { ...part } })),
  history: (body, calls, withResults) => ({
    ...body,
    contents: [
      ...(body.contents as Json[]),
      { role: 'model', parts: calls.map(({ block }) => block) },
      {
        role: 'user',
        parts: withResults
          ? calls.map(({ id }) => ({ functionResponse: { name: id, response: { output: 'written' } } }))
          : [{ text: 'Go on' }],
      },
    ],
  }),
  textOf: (response) => JSON.stringify(response.candidates),
};

interface ConverseBlock {
  readonly toolUse?: { readonly toolUseId: string };
}

const converse: Writer = {
  path: (stream) => `/model/claude/${stream ? 'converse-stream' : 'converse'}`,
  headers: { authorization: 'Bearer x' },
  body: (prompt) => ({
    messages: [{ role: 'user', content: [{ text: prompt }] }],
    toolConfig: { tools: [{ toolSpec: { name: 'write_file', inputSchema: { json: SCHEMA } } }] },
  }),
  callsOf: (response) =>
    (response.output as { message: { content: ConverseBlock[] } }).message.content
      .filter((block) => block.toolUse !== undefined)
      .map((block) => ({ id: block.toolUse?.toolUseId ?? '', block: { ...block } })),
  history: (body, calls, withResults) => ({
    ...body,
    messages: [
      ...(body.messages as Json[]),
      { role: 'assistant', content: calls.map(({ block }) => block) },
      {
        role: 'user',
        content: withResults
          ? calls.map(({ id }) => ({ toolResult: { toolUseId: id, content: [{ text: 'written' }] } }))
          : [{ text: 'Go on' }],
      },
    ],
  }),
  textOf: (response) => JSON.stringify(response.output),
};

const WRITERS: Record<string, Writer> = {
  'openai-chat': chat,
  vllm: chat,
  'openai-responses': responses,
  anthropic,
  gemini,
  'bedrock-converse': converse,
  'bedrock-claude': converse,
};

describe.each(UPSTREAMS.map(({ name, format }) => ({ name, format })))(
  'the scripted upstream $name',
  ({ name, format }) => {
    const writer = WRITERS[name]!;
    let upstream: Upstream;
    let play: Play;

    beforeAll(async () => {
      upstream = await startUpstream(format);
    });
    afterAll(() => upstream.close());
    beforeEach(() => {
      play = new Play('edit', '/nowhere');
      upstream.begin(play);
    });

    async function post(body: Json, stream = false) {
      const response = await fetch(upstream.url + writer.path(stream), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...writer.headers },
        body: JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    }
    const json = (text: string) => JSON.parse(text) as Json;

    test('calls the tool that writes, and ends with a text when its result comes', async () => {
      const body = writer.body(play.prompt, false);
      const calls = writer.callsOf(json((await post(body)).text));
      expect(JSON.stringify(calls)).toContain(play.task.file);
      const last = await post(writer.history(body, calls, true));
      expect(last.status).toBe(200);
      expect(writer.textOf(json(last.text))).toContain(play.finalText);
      expect(play.isFinished).toBe(true);
    });

    test('refuses a history whose call has no result', async () => {
      const body = writer.body(play.prompt, false);
      const calls = writer.callsOf(json((await post(body)).text));
      const refused = await post(writer.history(body, calls, false));
      expect(refused.status).toBe(400);
      expect(refused.text).toMatch(RESULTS_FIRST);
      expect(play.refusals).toHaveLength(1);
    });

    test('streams the same call', async () => {
      const { status, text } = await post(writer.body(play.prompt, true), true);
      expect(status).toBe(200);
      expect(text).toContain('write_file');
      expect(play.turns).toEqual(['write_file']);
    });

    // vLLM ignores such fields.
    if (name === 'vllm') return;
    test('refuses a field that the provider does not know', async () => {
      const refused = await post({ ...writer.body(play.prompt, false), surprise: 1 });
      expect(refused.status).toBe(400);
      expect(refused.text).toContain('surprise');
    });
  },
);
