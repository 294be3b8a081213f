import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  argumentTexts,
  canonicalRequests,
  names,
  PLAIN_SHAPE,
  texts,
} from '../../../test/fixtures/canonical-arbitraries.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import { printExact, parseExact } from '../../runtime/exact-integers.js';
import { OPENAI_CHAT } from '../openai-chat/openai-chat-wire.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { Target, Written } from '../wire-format.js';
import { ANTHROPIC } from './anthropic-wire.js';
import { withoutForeignThinking } from './foreign-thinking.js';

const target = (upstreamModel = 'claude-sonnet-4-5', traits: Target['traits'] = {}): Target => ({
  upstreamModel,
  client: 'openai-chat',
  traits,
});
const user = (text: string) => ({ role: 'user' as const, blocks: [{ type: 'text' as const, text }] });
const write = (request: Partial<CanonicalRequest>, to = target()): Written =>
  ANTHROPIC.writeRequest({ model: 'm', messages: [user('Hi')], ...request }, to);
const openai = (body: object, to = target()): Written =>
  ANTHROPIC.writeRequest(
    OPENAI_CHAT.readRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body }),
    to,
  );
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk';
const tool = { type: 'function' as const, name: 'f', parameters: { type: 'object', properties: {} } };

const fault = (members: object) => expect.objectContaining(members) as Error;

describe('requests of the Messages API', () => {
  const shape = {
    ...PLAIN_SHAPE,
    wire: 'anthropic' as const,
    userBlocks: ['text', 'image', 'file'] as const,
    assistantBlocks: ['text', 'thinking'] as const,
    resultBlocks: ['text'] as const,
    errorResults: true,
    sources: ['base64', 'url', 'text'] as const,
    fileTypes: ['application/pdf'],
    fields: {
      maxOutputTokens: fc.integer({ min: 1, max: 64_000 }),
      topK: fc.integer({ min: 1, max: 100 }),
      stop: fc.uniqueArray(texts, { minLength: 1, maxLength: 6 }),
      endUser: names,
      stream: fc.constant(true),
      serviceTier: fc.constant('auto'),
    },
  };

  it('what is read of a written request is the request', () => {
    fc.assert(
      fc.property(canonicalRequests(shape), (request) => {
        const { body, dropped } = ANTHROPIC.writeRequest(request, { ...target(), upstreamModel: request.model });
        expect(dropped).toEqual([]);
        const read = ANTHROPIC.readRequest(parseExact(printExact(body)) as JsonObject);
        expect(normal(read)).toEqual(normal(request));
      }),
    );
  });

  it('rule 5: cache breakpoints keep their places on every block kind, tools and system included', () => {
    const hint = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const body = {
      model: 'm',
      max_tokens: 9,
      system: [
        { type: 'text', text: 'rules', ...hint },
        { type: 'text', text: 'now' },
      ],
      tools: [{ name: 'f', input_schema: { type: 'object', properties: {} }, ...hint }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG }, ...hint },
            { type: 'text', text: 'x' },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'f', input: {} }] },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'r' }], ...hint }],
        },
      ],
    };
    const written = ANTHROPIC.writeRequest(ANTHROPIC.readRequest(body), { ...target('m'), client: 'anthropic' });
    expect(written.body).toMatchObject(body);
    const bare = write(
      { messages: [{ role: 'user', blocks: [{ type: 'text', text: 'a', cache: { ttl: '1h' } }] }] },
      target('claude-x', { cacheTtl: false }),
    );
    expect(bare.body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] },
    ]);
    expect(bare.dropped).toEqual(['cache_control.ttl']);
  });

  it('rule 5: more than four breakpoints keep the first and the last three; an hour may not follow five minutes', () => {
    const blocks = [1, 2, 3, 4, 5, 6].map((number) => ({
      type: 'text' as const,
      text: `${number}`,
      cache: { ttl: number < 3 ? '5m' : '1h' },
    }));
    const { body, dropped } = write({ messages: [{ role: 'user', blocks }] });
    const [{ content }] = body['messages'] as [{ content: { cache_control?: { ttl?: string } }[] }];
    expect(content.map(({ cache_control: control }) => control?.ttl ?? (control && 'short'))).toEqual([
      '5m',
      undefined,
      undefined,
      'short',
      'short',
      'short',
    ]);
    expect(dropped).toEqual(['cache_control', 'cache_control.ttl']);
  });

  it('rule 5: the breakpoint of a block that is left out goes to the one before it', () => {
    const { body } = openai({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: ' ', cache_control: { type: 'ephemeral' } },
          ],
        },
      ],
    });
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] },
    ]);
  });

  it('two system parts stay two blocks, and later system messages come behind the first', () => {
    const { body } = openai({
      messages: [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'static', cache_control: { type: 'ephemeral' } },
            { type: 'text', text: '14:03' },
          ],
        },
        { role: 'user', content: 'Hi' },
        { role: 'developer', content: 'late' },
      ],
    });
    expect(body['system']).toEqual([
      { type: 'text', text: 'static', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: '14:03' },
      { type: 'text', text: 'late' },
    ]);
  });

  it.each([
    [
      'an empty caption',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
      ],
    ],
    [
      'blank system text',
      [
        { role: 'system', content: ' \n' },
        { role: 'user', content: 'Hi' },
      ],
    ],
    [
      'a blank turn',
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: '\t' },
        { role: 'user', content: 'Hi' },
      ],
    ],
    [
      'a turn that is blank at its end',
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'So \n' },
      ],
    ],
    [
      'a blank user',
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'x' },
        { role: 'user', content: '' },
      ],
    ],
    [
      'a blank tool result',
      [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: '' },
      ],
    ],
    ['a system prompt alone', [{ role: 'system', content: 'Say hi.' }]],
    [
      'a conversation that begins with the model',
      [
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'Hi' },
      ],
    ],
  ])('%s is written as Anthropic takes it', (_name, messages) => {
    assertTaken(openai({ messages }).body);
  });

  it('any conversation of any client is written as Anthropic takes it: roles in turn, text that is not blank, one result for each call', () => {
    const blank = fc.constantFrom('', ' ', '\n\t', 'text');
    const id = fc.constantFrom('call_1', 'functions.f:0', 'c'.repeat(90), '');
    const call = fc.record({
      id,
      type: fc.constant('function'),
      function: fc.record({
        name: fc.constantFrom('f', 'x.y/z', 'n'.repeat(80)),
        arguments: fc.oneof(argumentTexts, fc.constantFrom('null', '[]', '{"a', '')),
      }),
    });
    const message = fc.oneof(
      fc.record({ role: fc.constantFrom('system', 'user', 'developer', 'assistant'), content: blank }),
      fc.record({
        role: fc.constant('assistant'),
        content: blank,
        tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ role: fc.constant('tool'), tool_call_id: id, content: blank }),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        assertTaken(openai({ messages: [...messages, { role: 'user', content: 'Hi' }] }).body);
      }),
    );
  });

  it('rule 6: images in tool results stay there, and follow the result of an error, whose content may be text alone', () => {
    const image = { type: 'image' as const, source: { kind: 'base64' as const, mediaType: 'image/jpeg', data: PNG } };
    const history = (isError: boolean) =>
      write({
        messages: [
          user('Hi'),
          { role: 'assistant', blocks: [{ type: 'tool_call', id: 'a', name: 'f', kind: 'function', input: '{}' }] },
          {
            role: 'tool',
            blocks: [
              { type: 'tool_result', callId: 'a', kind: 'function', content: [image], ...(isError && { isError }) },
            ],
          },
          user('so?'),
        ],
      }).body['messages'] as { content: JsonObject[] }[];
    // The first bytes say what it is.
    const written = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
    expect(history(false)[2]?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: [written] },
      { type: 'text', text: 'so?' },
    ]);
    expect(history(true)[2]?.content).toMatchObject([
      { type: 'tool_result', is_error: true, content: [{ type: 'text' }] },
      written,
      { type: 'text' },
    ]);
  });

  it('rule 7: fields that belong to a beta are named as dropped, together, on a provider that is not Anthropic', () => {
    const request = ANTHROPIC.readRequest({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      output_config: { effort: 'high', task_budget: { type: 'tokens', total: 9 } },
      tools: [{ name: 'f', input_schema: { type: 'object' }, defer_loading: true, eager_input_streaming: true }],
    });
    const { body, dropped } = OPENAI_CHAT.writeRequest(request, {
      upstreamModel: 'g',
      client: 'anthropic',
      traits: {},
    });
    expect(JSON.stringify(body)).not.toMatch(/context_management|defer_loading|eager|task_budget|output_config/);
    expect(dropped).toEqual(['context_management', 'output_config']);
    expect(body['reasoning_effort']).toBe('high');
  });

  it('rule 11: a server tool goes to Anthropic, and elsewhere is a 400 that names it', () => {
    const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 8 };
    const code = { type: 'code_execution_20250825', name: 'code_execution' };
    const plain = { name: 'f', input_schema: { type: 'object' } };
    const read = (tools: unknown[]) =>
      ANTHROPIC.readRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], tools });
    expect(
      ANTHROPIC.writeRequest(read([search, plain]), { ...target(), client: 'anthropic' }).body['tools'],
    ).toMatchObject([search, plain]);
    for (const tool of [search, code]) {
      const write = (tools: unknown[]) =>
        OPENAI_CHAT.writeRequest(read(tools), { upstreamModel: 'g', client: 'anthropic', traits: {} });
      expect(() => write([tool])).toThrow(
        fault({ status: 400, param: 'tools', message: expect.stringContaining(tool.type) as string }),
      );
      expect(write([plain, tool]).dropped).toEqual([`tools[1].${tool.type}`]);
    }
  });

  it('a tool whose schema Claude knows by its type is a function elsewhere', () => {
    const request = ANTHROPIC.readRequest({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'bash_20250124', name: 'bash' }],
    });
    const { body } = OPENAI_CHAT.writeRequest(request, { upstreamModel: 'g', client: 'anthropic', traits: {} });
    expect(body['tools']).toMatchObject([
      { type: 'function', function: { name: 'bash', parameters: { properties: { command: {} } } } },
    ]);
  });

  it('rule 12: tool names that Anthropic refuses are renamed, and read back in the response', () => {
    const name = `mcp__server.name/tool ${'x'.repeat(70)}`;
    const { body, toolNames } = openai({
      tools: [{ type: 'function', function: { name } }],
      tool_choice: { type: 'function', function: { name } },
    });
    const [sent] = body['tools'] as [{ name: string }];
    expect(sent.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(body['tool_choice']).toEqual({ type: 'tool', name: sent.name });
    const message = {
      content: [{ type: 'tool_use', id: 'toolu_1', name: sent.name, input: { id: 1 } }],
      stop_reason: 'tool_use',
    };
    const result = ANTHROPIC.readResponse(message, {
      upstreamModel: 'm',
      redact: String,
      now: 0,
      ...(toolNames !== undefined && { toolNames }),
    });
    expect(result.choices[0]?.blocks).toMatchObject([{ type: 'tool_call', name, input: '{"id":1}' }]);
  });

  it.each([
    undefined,
    {},
    { anyOf: [{ type: 'object', properties: { a: {} }, required: ['a'] }] },
    { type: 'object', properties: { a: { type: 'array', items: [{ type: 'string' }] } } },
    { properties: { a: { minimum: 1, exclusiveMinimum: true } } },
  ])('rule 13: parameters %j are an object schema of the draft that Anthropic checks', (parameters) => {
    const { body } = openai({ tools: [{ type: 'function', function: { name: 'f', parameters } }] });
    const [{ input_schema: schema }] = body['tools'] as [{ input_schema: JsonObject }];
    expect(schema['type']).toBe('object');
    expect(schema).not.toHaveProperty('anyOf');
    expect(JSON.stringify(schema)).not.toMatch(/"items":\[|"exclusiveMinimum":true/);
  });

  it.each([
    ['claude-sonnet-4-5', 'medium', { thinking: { type: 'enabled', budget_tokens: 8192 } }],
    ['us.anthropic.claude-opus-4-6-v1', 'xhigh', { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
    [
      'claude-opus-4-7',
      'xhigh',
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'xhigh' } },
    ],
    ['claude-opus-5-5', 'none', {}],
    ['claude-sonnet-5-5', 'none', { thinking: { type: 'between_tools' } }],
    ['claude-haiku-4-5', 'none', { thinking: { type: 'disabled' } }],
  ])('%s thinks with the effort %s', (model, effort, expected) => {
    const { body } = openai({ reasoning_effort: effort }, target(model));
    expect(body).toMatchObject(expected);
    if (effort === 'none' && model === 'claude-opus-5-5') expect(body).not.toHaveProperty('thinking');
  });

  it.each(['claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-4-8'])(
    '%s: thinking gives way to a forced tool, and is named',
    (model) => {
      const { body, dropped } = write(
        { tools: [tool], toolChoice: { type: 'required' }, reasoning: { effort: 'medium' } },
        target(model),
      );
      expect(body).toMatchObject({ tool_choice: { type: 'any' } });
      expect(body).not.toHaveProperty('thinking');
      expect(dropped).toEqual(['reasoning_effort']);
    },
  );

  it('a forced tool is refused for a model that cannot be made to call one', () => {
    expect(() => write({ tools: [tool], toolChoice: { type: 'tool', name: 'f' } }, target('claude-opus-5-5'))).toThrow(
      fault({ status: 400, param: 'tool_choice' }),
    );
  });

  it.each(['ada@example.com', '+1 555 010 0123', '0041 79 123 45 67', 'x'.repeat(300)])(
    'an end user %s is a hash',
    (endUser) => {
      expect(write({ endUser }).body['metadata']).toEqual({
        user_id: expect.stringMatching(/^user_[0-9a-f]{64}$/) as string,
      });
    },
  );

  it('sampling that excludes another, or that the model refuses, is left out and named', () => {
    expect(write({ temperature: 0.2, topP: 0.9 })).toMatchObject({ body: { temperature: 0.2 }, dropped: ['top_p'] });
    expect(write({ temperature: 1.7 })).toMatchObject({ body: { temperature: 1 }, dropped: ['temperature'] });
    expect(write({ temperature: 0.2, topK: 4 }, target('claude-opus-4-7')).dropped).toEqual(['temperature', 'top_k']);
    expect(write({ temperature: 1, topP: 1 }, target('claude-opus-5')).dropped).toEqual([]);
    expect(write({ seed: 1, frequencyPenalty: 1, logprobs: true }).dropped).toEqual([
      'frequency_penalty',
      'seed',
      'logprobs',
    ]);
  });

  it('a schema of the response is enforced where the model can, and asked for in words elsewhere', () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 3 } } };
    const request = { responseFormat: { type: 'json_schema' as const, schema } };
    expect(write(request).body['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { n: { type: 'integer', description: 'minimum: 3.' } },
          additionalProperties: false,
        },
      },
    });
    const old = write(request, target('claude-sonnet-4-20250514'));
    expect(JSON.stringify(old.body['system'])).toContain('minimum');
    expect(old.dropped).toEqual(['response_format']);
  });

  it('rule 4: foreign and unsigned thinking never reaches Anthropic, and its own is byte-equal', () => {
    const thinking = (signature: string | undefined) => ({
      type: 'thinking',
      thinking: 'hm',
      ...(signature !== undefined && { signature }),
    });
    const own = 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h';
    const turn = {
      role: 'assistant',
      content: [
        thinking(own),
        thinking('gw1.gemini.AAA'),
        thinking(''),
        thinking(undefined),
        { type: 'redacted_thinking', data: 'gw1r.openai-responses.x' },
        { type: 'redacted_thinking', data: 'Emw' },
        { type: 'text', text: 'a' },
      ],
    };
    const body = {
      model: 'm',
      max_tokens: 1,
      messages: [{ role: 'user', content: 'Hi' }, turn, { role: 'user', content: 'Hi' }],
      future_field: { a: 1 },
    };
    const kept = [thinking(own), { type: 'redacted_thinking', data: 'Emw' }, { type: 'text', text: 'a' }];
    expect(
      ANTHROPIC.writeRequest(ANTHROPIC.readRequest(body), { ...target('m'), client: 'anthropic' }).body['messages'],
    ).toMatchObject([{}, { content: kept }, {}]);
    expect(withoutForeignThinking(body)).toEqual({
      ...body,
      messages: [body.messages[0], { ...turn, content: kept }, body.messages[2]],
    });
    const clean = { ...body, messages: [body.messages[0]] };
    expect(withoutForeignThinking(clean)).toBe(clean);
  });

  it.each([
    [{ messages: [{ role: 'user', content: 'x' }] }, 'model'],
    [{ model: 'm' }, 'messages'],
    [{ model: 'm', messages: [] }, 'messages'],
    [{ model: 'm', messages: [1] }, 'messages[0]'],
    [{ model: 'm', messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
    [{ model: 'm', messages: [{ role: 'user' }] }, 'messages[0].content'],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data: 'a' } }] }] },
      'messages[0].content[0].source.media_type',
    ],
    [
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'a' }] }] },
      'messages[0].content[0].tool_use_id',
    ],
    [
      {
        model: 'm',
        messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [{ text: 'a' }] }] }],
      },
      'messages[0].content[0].content[0].type',
    ],
    [
      { model: 'm', messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a' }] }] },
      'messages[0].content[0].name',
    ],
    [{ model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: '5' }, 'max_tokens'],
    [{ model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: -1 }, 'max_tokens'],
    [{ model: 'm', messages: [{ role: 'user', content: 'x' }], tools: [{ name: 'f' }] }, 'tools[0].input_schema'],
    [{ model: 'm', messages: [{ role: 'user', content: 'x' }], tool_choice: { type: 'some' } }, 'tool_choice.type'],
    [{ model: 'm', messages: [{ role: 'user', content: 'x' }], stop_sequences: [1] }, 'stop_sequences[0]'],
    [{ model: 'm', messages: [{ role: 'user', content: 'x' }], system: [{ type: 'text' }] }, 'system[0].text'],
    [
      { model: 'm', messages: [{ role: 'user', content: 'x' }], thinking: { type: 'enabled' } },
      'thinking.budget_tokens',
    ],
  ])('%j is a 400 at %s', (body, param) => {
    expect(() => ANTHROPIC.readRequest(body)).toThrow(fault({ status: 400, param }));
  });

  const agents = new URL('../../../test/fixtures/anthropic-agents/', import.meta.url);
  it.each(readdirSync(agents))('requests of agents (%s) are read, and written for OpenAI and for Anthropic', (file) => {
    const bodies = JSON.parse(readFileSync(new URL(file, agents), 'utf8')) as JsonObject[];
    expect(bodies.length).toBeGreaterThan(0);
    for (const body of bodies) {
      const request = ANTHROPIC.readRequest(body);
      assertTaken(ANTHROPIC.writeRequest(request, { ...target('claude-opus-4-5'), client: 'anthropic' }).body);
      const isSearch = request.tools?.every(({ type }) => type === 'hosted') === true;
      const toOpenAi = () => OPENAI_CHAT.writeRequest(request, { upstreamModel: 'g', client: 'anthropic', traits: {} });
      if (isSearch) expect(toOpenAi).toThrow(/web_search/);
      else expect(toOpenAi().body['messages']).not.toEqual([]);
    }
  });
});

/** Members that mean the same: a maximum that the model has by itself, the tier that is sent by default, names of documents. */
function normal({ maxOutputTokens, ...request }: CanonicalRequest): unknown {
  const max = maxOutputTokens === 64_000 || maxOutputTokens === 128_000 ? undefined : maxOutputTokens;
  // A history with calls gets their tools.
  const { tools, toolChoice, ...rest } = request;
  const isAdded = toolChoice?.type === 'none';
  return JSON.parse(JSON.stringify({ ...rest, max, tools: isAdded ? undefined : tools }));
}

interface SentMessage {
  readonly role: string;
  readonly content: readonly JsonObject[];
}

/** What Anthropic's documentation and its error messages demand of a body. */
function assertTaken(body: JsonObject): void {
  const messages = body['messages'] as readonly SentMessage[];
  expect(messages[0]?.role).toBe('user');
  const ids = new Set<unknown>();
  messages.forEach(({ role, content }, index) => {
    expect(role).toBe(index % 2 === 0 ? 'user' : 'assistant');
    expect(content.length).toBeGreaterThan(0);
    for (const { type, text, id, name, input } of content) {
      if (type === 'text') expect(String(text).trim()).not.toBe('');
      if (type !== 'tool_use') continue;
      expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(ids.has(id)).toBe(false);
      ids.add(id);
      expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(typeof input === 'object' && !Array.isArray(input)).toBe(true);
    }
    const calls = content.flatMap(({ type, id }) => (type === 'tool_use' ? [id] : []));
    const next = messages[index + 1];
    const results = next?.content.flatMap((block) => (block['type'] === 'tool_result' ? [block['tool_use_id']] : []));
    if (next !== undefined) expect(results).toEqual(calls);
    // Results come before anything else of the user.
    const types = content.map(({ type }) => type === 'tool_result');
    expect(types.indexOf(true)).toBe(types.includes(true) ? 0 : -1);
    expect(types.lastIndexOf(true)).toBe(types.filter(Boolean).length - 1);
  });
  const last = messages.at(-1);
  if (last?.role === 'assistant')
    expect(JSON.stringify(last.content.at(-1)?.['text'] ?? 'x').slice(0, -1)).toMatch(/\S$/);
  const system = (body['system'] ?? []) as readonly JsonObject[];
  for (const { text } of system) expect(String(text).trim()).not.toBe('');
}
