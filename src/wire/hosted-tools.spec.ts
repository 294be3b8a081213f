import fc from 'fast-check';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import type { JsonObject } from '../runtime/json-value.js';
import { fitRequest } from './openai-chat/fit-request.js';
import { readRequest as readChat } from './openai-chat/read-request.js';
import { ANTHROPIC } from './anthropic/anthropic-wire.js';
import { GEMINI } from './gemini/gemini-wire.js';
import { OPENAI_RESPONSES } from './openai-responses/openai-responses-wire.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import { providerWireOf } from './wire-formats.js';
import type { Written } from './wire-format.js';

/** How each format of clients says the same things. */
interface Client {
  readonly wire: WireName;
  /** Names of tools that the provider runs, as errors and dropped parameters have them. */
  readonly hosted: readonly string[];
  readonly body: (hosted: string | undefined, hasFunction: boolean) => JsonObject;
  readonly read: (body: JsonObject) => CanonicalRequest;
  /** A choice that asks for the hosted tool. */
  readonly choose?: (hosted: string) => JsonObject;
  /** A turn that waits for a call of the provider's tool. */
  readonly open: JsonObject;
  /** Such a turn with the result of the call. */
  readonly returned: JsonObject;
}

const SCHEMA = { type: 'object', properties: {} };
const NAMES: Readonly<Record<string, string>> = { web_search_20250305: 'web_search' };
const nameOf = (type: string): string => NAMES[type] ?? type.replace(/_\d{8}$/, '');

const CLIENTS: readonly Client[] = [
  {
    wire: 'anthropic',
    hosted: ['web_search_20250305', 'code_execution_20250825', 'web_fetch_20250910', 'something_20301231'],
    read: (body) => ANTHROPIC.readRequest(body),
    body: (hosted, hasFunction) => ({
      model: 'm',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [
        ...(hosted === undefined ? [] : [{ type: hosted, name: nameOf(hosted) }]),
        ...(hasFunction ? [{ name: 'f', input_schema: SCHEMA }] : []),
      ],
    }),
    choose: (hosted) => ({ tool_choice: { type: 'tool', name: nameOf(hosted) } }),
    open: {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [{ type: 'server_tool_use', id: 's1', name: 'web_search', input: {} }] },
      ],
    },
    returned: {
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
            { type: 'web_search_tool_result', tool_use_id: 's1', content: [] },
            { type: 'text', text: 'Found.' },
          ],
        },
        { role: 'user', content: 'Go on' },
      ],
    },
  },
  {
    wire: 'openai-responses',
    hosted: ['web_search', 'image_generation', 'code_interpreter', 'mcp', 'tool_of_tomorrow'],
    read: (body) => OPENAI_RESPONSES.readRequest(body),
    body: (hosted, hasFunction) => ({
      model: 'm',
      input: 'Hi',
      tools: [
        ...(hosted === undefined ? [] : [{ type: hosted }]),
        ...(hasFunction ? [{ type: 'function', name: 'f', parameters: SCHEMA }] : []),
      ],
    }),
    choose: (hosted) => ({ tool_choice: { type: hosted } }),
    open: {
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'mcp_approval_request', id: 'a1', name: 'delete' },
      ],
    },
    returned: {
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'mcp_approval_request', id: 'a1', name: 'delete' },
        { type: 'mcp_call', id: 'c1', approval_request_id: 'a1', name: 'delete', output: 'ok' },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] },
        { role: 'user', content: 'Go on' },
      ],
    },
  },
  {
    wire: 'gemini',
    hosted: ['googleSearch', 'codeExecution', 'urlContext', 'toolOfTomorrow'],
    read: (body) => GEMINI.readRequest(body),
    body: (hosted, hasFunction) => ({
      model: 'm',
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
      tools: [
        ...(hosted === undefined ? [] : [{ [hosted]: {} }]),
        ...(hasFunction ? [{ functionDeclarations: [{ name: 'f', parameters: SCHEMA }] }] : []),
      ],
    }),
    open: {
      contents: [
        { role: 'user', parts: [{ text: 'Hi' }] },
        { role: 'model', parts: [{ executableCode: { language: 'PYTHON', code: '1' } }] },
      ],
    },
    returned: {
      contents: [
        { role: 'user', parts: [{ text: 'Hi' }] },
        {
          role: 'model',
          parts: [
            { executableCode: { language: 'PYTHON', code: '1' } },
            { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
            { text: 'One.' },
          ],
        },
        { role: 'user', parts: [{ text: 'Go on' }] },
      ],
    },
  },
  {
    wire: 'openai-chat',
    hosted: ['web_search', 'tool_of_tomorrow'],
    read: (body) => readChat(body as Parameters<typeof readChat>[0]),
    body: (hosted, hasFunction) => ({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [
        ...(hosted === undefined ? [] : [{ type: hosted }]),
        ...(hasFunction ? [{ type: 'function', function: { name: 'f', parameters: SCHEMA } }] : []),
      ],
    }),
    choose: (hosted) => ({ tool_choice: { type: hosted } }),
    open: {},
    returned: {},
  },
];
const PROVIDERS: readonly WireName[] = [
  'openai-chat',
  'openai-responses',
  'anthropic',
  'gemini',
  'bedrock-converse',
  'cohere',
];
const PAIRS = CLIENTS.flatMap((client) =>
  PROVIDERS.filter((provider) => provider !== client.wire).map((provider) => [client.wire, provider, client] as const),
);

function write(client: Client, provider: WireName, body: JsonObject): Written {
  const target = { upstreamModel: 'some-model', client: client.wire, traits: {} };
  return providerWireOf(provider).writeRequest(client.read(body), target);
}
const fault = (members: object): Error => expect.objectContaining(members) as Error;
const refusal = (name: string): Error =>
  fault({ status: 400, code: 'unsupported_value', message: expect.stringContaining(name) as string });

describe('rule 11: tools that another provider runs', () => {
  it.each(PAIRS)('%s on %s: left out and named beside a tool that can be called', (_wire, provider, client) => {
    fc.assert(
      fc.property(fc.constantFrom(...client.hosted), (hosted) => {
        const written = write(client, provider, client.body(hosted, true));
        expect(written.dropped.join()).toContain(`tools[0].${hosted}`);
        expect(JSON.stringify(written.body)).not.toContain(hosted);
        expect(written.body).toEqual(write(client, provider, client.body(undefined, true)).body);
      }),
    );
  });

  it.each(PAIRS)('%s on %s: refused by name where there is no other tool', (_wire, provider, client) => {
    for (const hosted of client.hosted) {
      expect(() => write(client, provider, client.body(hosted, false))).toThrow(refusal(hosted));
    }
  });

  it.each(PAIRS)('%s on %s: refused by name where it is chosen', (_wire, provider, client) => {
    if (client.choose === undefined) return;
    for (const hosted of client.hosted) {
      const body = { ...client.body(hosted, true), ...client.choose(hosted) };
      expect(() => write(client, provider, body)).toThrow(refusal(hosted));
    }
  });

  it.each(PAIRS)('%s on %s: a returned call is left out, an open one refused', (wire, provider, client) => {
    if (wire === 'openai-chat') return;
    const body = client.body(undefined, true);
    expect(() => write(client, provider, { ...body, ...client.open })).toThrow(refusal('waits for a call'));
    const { dropped, body: written } = write(client, provider, { ...body, ...client.returned });
    expect(dropped.length).toBeGreaterThan(0);
    expect(JSON.stringify(written)).not.toMatch(/server_tool_use|mcp_|executableCode/);
  });

  it('a tool that may not be called is left out', () => {
    for (const [, provider, client] of PAIRS.filter(([wire]) => wire === 'anthropic' || wire === 'openai-responses')) {
      const [hosted = ''] = client.hosted;
      const choice = client.wire === 'anthropic' ? { type: 'none' } : 'none';
      const { dropped } = write(client, provider, { ...client.body(hosted, false), tool_choice: choice });
      expect(dropped.join()).toContain(hosted);
    }
  });

  it("a provider's own tool goes along, and others are named beside it", () => {
    for (const client of CLIENTS) {
      const own = client.hosted[0] ?? '';
      const read = client.read(client.body(own, false));
      const foreign = { type: 'hosted', wire: 'cohere', name: 'connector', value: {} } as const;
      const request = { ...read, tools: [...(read.tools ?? []), foreign] };
      const target = { upstreamModel: 'some-model', client: client.wire, traits: {} };
      const written = providerWireOf(client.wire).writeRequest(request, target);
      expect(JSON.stringify(written.body['tools'])).toContain(own);
      expect(written.dropped).toContain('tools[1].connector');
    }
  });

  it('MCP servers are tools as well', () => {
    const [client] = CLIENTS;
    const servers = { mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'm' }] };
    if (client === undefined) throw new Error('no client');
    for (const provider of PROVIDERS.filter((each) => each !== 'anthropic')) {
      expect(write(client, provider, { ...client.body(undefined, true), ...servers }).dropped).toContain('mcp_servers');
      expect(() => write(client, provider, { ...client.body(undefined, false), ...servers })).toThrow(
        fault({ status: 400, param: 'mcp_servers' }),
      );
    }
    const kept = write(client, 'anthropic', { ...client.body(undefined, true), ...servers });
    expect(kept.body).toMatchObject(servers);
  });

  it('web_search_options follow the same rule', () => {
    const client = CLIENTS.find(({ wire }) => wire === 'openai-chat');
    if (client === undefined) throw new Error('no client');
    const options = { web_search_options: { search_context_size: 'low' } };
    const refused = fault({ status: 400, param: 'web_search_options' });
    for (const provider of PROVIDERS.filter((each) => each !== 'openai-chat')) {
      const { dropped } = write(client, provider, { ...client.body(undefined, true), ...options });
      expect(dropped).toContain('web_search_options');
      expect(() => write(client, provider, { ...client.body(undefined, false), ...options })).toThrow(refused);
    }
    const rules = { refusedFields: new Set(['web_search_options']) };
    expect(() => fitRequest({ model: 'm', messages: [], ...options }, rules)).toThrow(refused);
    expect(fitRequest({ model: 'm', messages: [], tools: [{}], ...options }, rules).dropped).toEqual([
      'web_search_options',
    ]);
    expect(fitRequest({ model: 'm', messages: [], ...options }, undefined).dropped).toEqual([]);
  });
});

describe('tools whose schema Claude knows by their type', () => {
  it.each(['bash_20250124', 'text_editor_20250728', 'memory_20250818'])('%s has its schema on Converse', (type) => {
    const body = {
      model: 'm',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type, name: 'tool' }],
    };
    for (const upstreamModel of ['arn:aws:bedrock:us-east-1:1:application-inference-profile/x', 'anthropic.claude-x']) {
      const target = { upstreamModel, client: 'anthropic', traits: {} } as const;
      const { body: written } = providerWireOf('bedrock-converse').writeRequest(ANTHROPIC.readRequest(body), target);
      expect(written['toolConfig']).toMatchObject({
        tools: [{ toolSpec: { name: 'tool', inputSchema: { json: { type: 'object', properties: {} } } } }],
      });
    }
  });
});
