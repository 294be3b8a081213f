import type { CanonicalBlock, CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import type { Traits } from '../wire-format.js';
import { GEMINI } from './gemini-wire.js';

const user = (...blocks: CanonicalBlock[]): CanonicalMessage => ({ role: 'user', blocks });
const assistant = (...blocks: CanonicalBlock[]): CanonicalMessage => ({ role: 'assistant', blocks });
const text = (value: string): CanonicalBlock => ({ type: 'text', text: value });
const call = (id: string, name = 'look', input = '{}'): CanonicalBlock => ({
  type: 'tool_call',
  id,
  name,
  kind: 'function',
  input,
});
const result = (callId: string, ...content: CanonicalBlock[]): CanonicalMessage => ({
  role: 'tool',
  blocks: [{ type: 'tool_result', callId, kind: 'function', content }],
});
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const picture = (mediaType = 'image/png'): CanonicalBlock => ({
  type: 'image',
  source: { kind: 'base64', mediaType, data: PNG },
});

function write(
  request: Partial<CanonicalRequest>,
  {
    model = 'gemini-2.5-flash',
    traits = {},
    client = 'openai-chat' as const,
  }: { model?: string; traits?: Traits; client?: 'openai-chat' } = {},
) {
  return GEMINI.writeRequest(
    { model: 'm', messages: [user(text('Hello'))], ...request },
    { upstreamModel: model, client, traits },
  );
}
const contentsOf = (messages: readonly CanonicalMessage[], model?: string): unknown =>
  write({ messages }, model === undefined ? {} : { model }).body['contents'];

describe('requests to Gemini', () => {
  it('joins turns of one role, moves system messages to the front and leaves empty text out', () => {
    const { body } = write({
      messages: [
        { role: 'system', blocks: [text('One')] },
        user(text('a'), text('')),
        { role: 'developer', blocks: [text('Two')] },
        user(text('b')),
        assistant(text('')),
        user(text('c')),
      ],
    });
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'One' }, { text: 'Two' }] },
      contents: [{ role: 'user', parts: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] }],
    });
  });

  it('puts each result right after its call, in the order of the calls, with what the model needs to go on', () => {
    expect(
      contentsOf([
        user(text('go')),
        assistant(call('1', 'a'), call('2', 'b'), call('3', 'c')),
        user(text('wait')),
        result('3', text('third')),
        result('1', text('first')),
      ]),
    ).toEqual([
      { role: 'user', parts: [{ text: 'go' }] },
      {
        role: 'model',
        parts: ['a', 'b', 'c'].map((name, index) => ({ functionCall: { id: String(index + 1), name, args: {} } })),
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: '1', name: 'a', response: { output: 'first' } } },
          { functionResponse: { id: '2', name: 'b', response: { error: expect.any(String) as string } } },
          { functionResponse: { id: '3', name: 'c', response: { output: 'third' } } },
          { text: 'wait' },
        ],
      },
    ]);
  });

  it('a result without its call is text of the user, and a conversation that begins with a call gets a turn before it', () => {
    expect(contentsOf([result('gone', text('42'))])).toEqual([
      { role: 'user', parts: [{ text: 'Result of an earlier tool call:' }, { text: '42' }] },
    ]);
    expect(contentsOf([assistant(call('1')), result('1', text('x'))])).toMatchObject([
      { role: 'user' },
      { role: 'model' },
      { role: 'user' },
    ]);
  });

  it.each([
    ['{"id":9007199254740993}', { id: { digits: '9007199254740993' } }],
    ['null', {}],
    ['', {}],
    ['{"a":', { INVALID_JSON: '{"a":' }],
    ['[1]', { INVALID_JSON: '[1]' }],
  ])('sends arguments %j of a history', (input, args) => {
    const contents = contentsOf([user(text('go')), assistant(call('1', 'f', input)), result('1', text('x'))]);
    expect(contents).toMatchObject([{}, { parts: [{ functionCall: { args } }] }, {}]);
  });

  it('rule 4: foreign and unsigned thinking stays out, signatures of Gemini go back with what they sign', () => {
    const contents = contentsOf([
      user(text('go')),
      assistant(
        { type: 'thinking', text: 'unsigned' },
        { type: 'thinking', text: 'foreign', signature: { wire: 'anthropic', value: 'x' } },
        { type: 'thinking', text: 'own', signature: { wire: 'gemini', value: 'sig-1' } },
        { ...call('1'), signature: { wire: 'gemini', value: 'sig-2' } } as CanonicalBlock,
        { ...call('2'), signature: { wire: 'anthropic', value: 'y' } } as CanonicalBlock,
      ),
      result('1', text('x')),
    ]);
    expect(contents).toMatchObject([
      {},
      {
        parts: [
          { text: 'own', thought: true, thoughtSignature: 'sig-1' },
          { functionCall: { id: '1' }, thoughtSignature: 'sig-2' },
          { functionCall: { id: '2' } },
        ],
      },
      {},
    ]);
    expect(JSON.stringify(contents)).not.toMatch(/foreign|unsigned|Signature":"[xy]"/);
  });

  it('rule 4: a call of Gemini 3 whose signature is lost says so; models before it and later calls of a turn need none', () => {
    const history = [user(text('go')), assistant(call('1'), call('2')), result('1', text('x')), result('2', text('y'))];
    const signatures = (model: string): unknown =>
      (contentsOf(history, model) as { parts: Record<string, unknown>[] }[])[1]?.parts.map(
        (part) => part['thoughtSignature'],
      );
    expect(signatures('gemini-3-pro-preview')).toEqual(['skip_thought_signature_validator', undefined]);
    expect(signatures('gemini-2.5-pro')).toEqual([undefined, undefined]);
  });

  it('rule 6: pictures of a result stand within it, or behind it for models that know no such parts', () => {
    const history = [user(text('go')), assistant(call('1')), result('1', text('seen'), picture())];
    const inlineData = { mimeType: 'image/png', data: PNG };
    expect(contentsOf(history, 'gemini-3-flash-preview')).toMatchObject([
      {},
      {},
      { parts: [{ functionResponse: { response: { output: 'seen' }, parts: [{ inlineData }] } }] },
    ]);
    expect(contentsOf(history, 'gemini-2.5-flash')).toMatchObject([
      {},
      {},
      {
        parts: [
          { functionResponse: { response: { output: 'seen' } } },
          { text: expect.any(String) as string },
          { inlineData },
        ],
      },
    ]);
  });

  it('the first bytes of a picture decide its type', () => {
    for (const named of ['image/jpeg', 'image/*', 'application/octet-stream']) {
      expect(contentsOf([user(picture(named))])).toMatchObject([
        { parts: [{ inlineData: { mimeType: 'image/png' } }] },
      ]);
    }
  });

  it('refuses a file that was uploaded elsewhere and takes addresses', () => {
    const file = (source: object): CanonicalBlock => ({ type: 'file', source }) as CanonicalBlock;
    expect(contentsOf([user(file({ kind: 'url', url: 'https://example.com/a.pdf?x=1' }))])).toMatchObject([
      { parts: [{ fileData: { mimeType: 'application/pdf', fileUri: 'https://example.com/a.pdf?x=1' } }] },
    ]);
    expect(() => contentsOf([user(file({ kind: 'file', id: 'file-abc' }))])).toThrow(/uploaded/);
  });

  it('rule 12: names of functions that Google refuses are changed everywhere and can be changed back', () => {
    const odd = '9 lives/of the cat';
    const long = 'x'.repeat(100);
    const { body, toolNames } = write({
      tools: [odd, long, 'fine.name-1'].map((name) => ({ type: 'function', name })),
      toolChoice: { type: 'tool', name: odd },
      messages: [user(text('go')), assistant(call('1', odd)), result('1', text('x'))],
    });
    const declared = (body['tools'] as { functionDeclarations: { name: string }[] }[])[0]?.functionDeclarations ?? [];
    const [first = '', second = '', third] = declared.map(({ name }) => name);
    for (const name of [first, second]) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/);
    expect(third).toBe('fine.name-1');
    expect([...(toolNames ?? [])]).toEqual([
      [first, odd],
      [second, long],
    ]);
    expect(body['toolConfig']).toEqual({ functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [first] } });
    expect(body['contents']).toMatchObject([
      {},
      { parts: [{ functionCall: { name: first } }] },
      { parts: [{ functionResponse: { name: first } }] },
    ]);
  });

  it.each([
    [{ type: 'auto' }, { mode: 'AUTO' }, ['a', 'b']],
    [{ type: 'none' }, { mode: 'NONE' }, ['a', 'b']],
    [{ type: 'required' }, { mode: 'ANY' }, ['a', 'b']],
    [{ type: 'allowed', mode: 'required', names: ['b'] }, { mode: 'ANY', allowedFunctionNames: ['b'] }, ['a', 'b']],
    [{ type: 'allowed', mode: 'auto', names: ['b'] }, { mode: 'AUTO' }, ['b']],
  ] as const)('tool choice %j', (toolChoice, functionCallingConfig, names) => {
    const tools = ['a', 'b'].map((name) => ({ type: 'function' as const, name, parameters: {} }));
    const { body } = write({ tools, toolChoice });
    expect(body['toolConfig']).toEqual({ functionCallingConfig });
    expect(body['tools']).toEqual([{ functionDeclarations: names.map((name) => ({ name })) }]);
  });

  it('a choice that demands a tool that is not there is refused by the client`s name', () => {
    expect(() => write({ toolChoice: { type: 'tool', name: 'gone' } })).toThrow(
      expect.objectContaining({ status: 400, param: 'tool_choice' }) as Error,
    );
  });

  it('tools that another provider runs are named, and refused when there is no other', () => {
    const hosted = { type: 'hosted', wire: 'openai-responses', name: 'web_search', value: {} } as const;
    expect(write({ tools: [hosted, { type: 'function', name: 'f' }] }).dropped).toEqual(['tools[0].web_search']);
    expect(() => write({ tools: [hosted] })).toThrow(/web_search/);
  });

  it('parameters are an object, also where the schema does not say so', () => {
    const parametersOf = (parameters: Record<string, unknown>): unknown => {
      const { body } = write({ tools: [{ type: 'function', name: 'f', parameters }] });
      return (body['tools'] as { functionDeclarations: Record<string, unknown>[] }[])[0]?.functionDeclarations[0]?.[
        'parameters'
      ];
    };
    expect(parametersOf({})).toBeUndefined();
    expect(parametersOf({ title: 'Nothing' })).toBeUndefined();
    expect(parametersOf({ properties: { a: {} } })).toEqual({ type: 'object', properties: { a: { type: 'string' } } });
    expect(
      parametersOf({
        anyOf: [
          { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a', 'b'] },
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        ],
      }),
    ).toEqual({ type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } }, required: ['a'] });
  });

  it.each([
    ['gemini-2.5-flash', { effort: 'medium' }, { thinkingBudget: 8192, includeThoughts: true }],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0, includeThoughts: false }],
    ['gemini-2.5-pro', { budgetTokens: 0 }, { thinkingBudget: 128, includeThoughts: false }],
    ['gemini-2.5-pro', { budgetTokens: 100_000, isShown: false }, { thinkingBudget: 32_768, includeThoughts: false }],
    ['gemini-2.5-flash-lite', { budgetTokens: 5 }, { thinkingBudget: 512, includeThoughts: true }],
    ['gemini-2.5-flash', { isAdaptive: true }, { thinkingBudget: -1, includeThoughts: true }],
    ['gemini-3-pro-preview', { effort: 'medium' }, { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-3.1-pro-preview', { effort: 'medium' }, { thinkingLevel: 'medium', includeThoughts: true }],
    ['gemini-3-flash-preview', { budgetTokens: 2000 }, { thinkingLevel: 'low', includeThoughts: true }],
    ['gemini-3-flash-preview', { isAdaptive: true }, { includeThoughts: true }],
    ['gemini-flash-latest', { effort: 'xhigh' }, { thinkingLevel: 'high', includeThoughts: true }],
  ])('%s thinks by %j', (model, reasoning, thinkingConfig) => {
    expect(write({ reasoning }, { model }).body['generationConfig']).toEqual({ thinkingConfig });
  });

  it('what a model or Google cannot do is named by the client`s name', () => {
    const { body, dropped } = write(
      {
        reasoning: { effort: 'high' },
        logprobs: true,
        topLogprobs: 3,
        logitBias: { 50256: -100 },
        parallelToolCalls: false,
        tools: [{ type: 'function', name: 'f' }],
        verbosity: 'low',
        store: true,
        serviceTier: 'scale',
        stop: ['1', '2', '3', '4', '5', '6'],
        endUser: 'someone',
        promptCacheKey: 'k',
        extras: { 'openai-chat': { prediction: {}, modalities: ['text', 'image'] } },
      },
      { model: 'gemini-2.0-flash' },
    );
    expect([...dropped].sort()).toEqual(
      [
        ...['logit_bias', 'logprobs', 'parallel_tool_calls', 'prediction', 'reasoning_effort', 'service_tier'],
        ...['stop[5]', 'store', 'top_logprobs', 'verbosity'],
      ].sort(),
    );
    expect(body['generationConfig']).toEqual({
      stopSequences: ['1', '2', '3', '4', '5'],
      responseModalities: ['TEXT', 'IMAGE'],
    });
  });

  it('Vertex AI takes log probabilities and no ids of calls', () => {
    const history = [user(text('go')), assistant(call('1')), result('1', text('x'))];
    const { body } = write({ messages: history, logprobs: true, topLogprobs: 2 }, { traits: { isCloud: true } });
    expect(body['generationConfig']).toEqual({ responseLogprobs: true, logprobs: 2 });
    expect(JSON.stringify(body)).not.toContain('"id"');
  });

  it('JSON output together with functions is asked for in words where the model takes one alone', () => {
    const responseFormat = {
      type: 'json_schema',
      schema: { type: 'object', properties: { a: { const: 1 } } },
    } as const;
    const tools = [{ type: 'function' as const, name: 'f' }];
    const older = write({ responseFormat, tools });
    expect(older.dropped).toEqual(['response_format']);
    expect(JSON.stringify(older.body['systemInstruction'])).toContain('JSON Schema');
    const newer = write({ responseFormat, tools }, { model: 'gemini-3-flash-preview' });
    expect(newer.dropped).toEqual([]);
    expect(newer.body['generationConfig']).toMatchObject({ responseMimeType: 'application/json' });
  });

  it('bounds what has a range: seeds of 32 bits, the model`s most output tokens, the least of one', () => {
    expect(write({ seed: 2 ** 40 + 5, maxOutputTokens: 0 }).body['generationConfig']).toEqual({
      seed: 5,
      maxOutputTokens: 1,
    });
    const { body } = GEMINI.writeRequest(
      { model: 'm', messages: [user(text('x'))], maxOutputTokens: 64_000 },
      { upstreamModel: 'gemini-2.0-flash', client: 'anthropic', traits: {}, maxOutputTokens: 8192 },
    );
    expect(body['generationConfig']).toEqual({ maxOutputTokens: 8192 });
  });

  it('Gemma has no system instruction, so that the text stands before the first turn', () => {
    const { body } = write(
      { messages: [{ role: 'system', blocks: [text('Be brief.')] }, user(text('Hi'))] },
      { model: 'gemma-3-27b-it' },
    );
    expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'Be brief.\n\n' }, { text: 'Hi' }] }] });
  });

  it('a system message alone is sent as the user`s; nothing at all is refused', () => {
    expect(write({ messages: [{ role: 'system', blocks: [text('Say hi.')] }] }).body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'Say hi.' }] }],
    });
    expect(() => write({ messages: [user(text(''))] })).toThrow(/no content/);
  });
});
