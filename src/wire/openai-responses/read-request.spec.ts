import agents from '../../../test/fixtures/responses-agents.json' with { type: 'json' };
import { GatewayError } from '../../errors/gateway-error.js';
import type { ToolCallBlock } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { COMPACTION_PROMPT, writeCompaction } from './compaction.js';
import { OPENAI_RESPONSES } from './openai-responses-wire.js';
import { readRequest } from './read-request.js';

const BODIES = Object.entries(agents as Record<string, JsonObject>);
const read = (input: unknown, more: JsonObject = {}): ReturnType<typeof readRequest> =>
  readRequest({ model: 'm', input, ...more });

describe('requests of agents', () => {
  it.each(BODIES)('%s: every item and tool is read', (_name, body) => {
    const request = readRequest(body);
    const types = request.messages.flatMap(({ blocks }) => blocks.map(({ type }) => type));
    expect(types).toContain('text');
    expect(types).not.toContain('opaque');
    const calls = request.messages.flatMap(({ blocks }) => blocks.filter((block) => block.type === 'tool_call'));
    const names = (request.tools ?? []).map((tool) => tool.name);
    for (const { name } of calls) expect(names).toContain(name);
  });

  it('calls and results are among them', () => {
    const roles = BODIES.map(([, body]) => new Set(readRequest(body).messages.map(({ role }) => role)));
    expect(roles.filter((each) => each.has('assistant') && each.has('tool')).length).toBeGreaterThan(6);
  });

  it.each(BODIES)('%s: is written again with the same items, tools and options', (_name, body) => {
    const { body: written, dropped } = OPENAI_RESPONSES.writeRequest(readRequest(body), {
      upstreamModel: String(body['model']),
      client: 'openai-responses',
      traits: {},
    });
    expect(dropped).toEqual([]);
    const again = readRequest(JSON.parse(JSON.stringify(written)) as JsonObject);
    const first = readRequest(body);
    expect(again.messages).toEqual(first.messages);
    expect(again.tools).toEqual(
      first.tools?.map((tool) => (tool.type === 'function' ? { strict: false, ...tool } : tool)),
    );
    expect(again.reasoning).toEqual(first.reasoning);
  });
});

describe('rule 19: items and tools', () => {
  it('reads calls and results of every kind of tool that the client runs', () => {
    const request = read(
      [
        { role: 'user', content: 'go' },
        { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{"a":12345678901234567890}' },
        { type: 'custom_tool_call', call_id: 'c2', name: 'exec', namespace: 'functions', input: 'text("hi")' },
        {
          type: 'local_shell_call',
          id: 'lsh_1',
          call_id: 'c3',
          status: 'completed',
          action: { type: 'exec', command: ['ls'], env: {}, working_directory: '/tmp' },
        },
        { type: 'shell_call', call_id: 'c4', action: { commands: ['pwd'], timeout_ms: null } },
        {
          type: 'apply_patch_call',
          call_id: 'c5',
          status: 'completed',
          operation: { type: 'create_file', path: 'a.txt', diff: '+hi' },
        },
        { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'ok' }] },
        { type: 'custom_tool_call_output', call_id: 'c2', output: 'hi' },
        { type: 'local_shell_call_output', id: 'lsh_1', output: '{"output":"a"}' },
        {
          type: 'shell_call_output',
          call_id: 'c4',
          output: [{ stdout: '/', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
        },
        { type: 'apply_patch_call_output', call_id: 'c5', status: 'failed', output: 'no such file' },
      ],
      { tools: [{ type: 'local_shell' }, { type: 'shell' }, { type: 'apply_patch' }] },
    );
    expect(request.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    const [, turn, results] = request.messages;
    expect(turn?.blocks).toMatchObject([
      { name: 'f', kind: 'function', input: '{"a":12345678901234567890}' },
      { name: 'functions__exec', kind: 'custom', input: 'text("hi")' },
      { name: 'local_shell', input: '{"command":["ls"],"env":{},"working_directory":"/tmp"}' },
      { name: 'shell', input: '{"commands":["pwd"]}' },
      { name: 'apply_patch', input: '{"type":"create_file","path":"a.txt","diff":"+hi"}' },
    ]);
    expect(results?.blocks).toMatchObject([
      { callId: 'c1', content: [{ text: 'ok' }] },
      { callId: 'c2', kind: 'custom' },
      { callId: 'c3' },
      { callId: 'c4' },
      { callId: 'c5', isError: true, content: [{ text: 'no such file' }] },
    ]);
    expect(request.tools).toMatchObject([
      { type: 'function', name: 'local_shell' },
      { type: 'function', name: 'shell' },
      { type: 'function', name: 'apply_patch' },
    ]);
  });

  it('keeps tools that the provider runs, and items that only the format knows, by their names', () => {
    const request = read(
      [
        { role: 'user', content: 'x' },
        { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } },
        { type: 'from_the_future', value: 1 },
      ],
      { tools: [{ type: 'web_search' }, { type: 'image_generation' }, { type: 'function', name: 'f' }] },
    );
    expect(request.tools).toMatchObject([
      { type: 'hosted', name: 'web_search' },
      { type: 'hosted', name: 'image_generation' },
      { type: 'function', name: 'f' },
    ]);
    expect(request.messages[1]?.blocks).toMatchObject([{ type: 'opaque', name: 'web_search_call' }]);
    expect(request.messages[2]?.blocks).toMatchObject([{ type: 'opaque', name: 'from_the_future' }]);
  });

  it('reads tools and settings that stand among the items', () => {
    const request = read([
      { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'f' }] },
      { role: 'user', content: 'x' },
      { type: 'configuration_update', reasoning: { effort: 'low' } },
    ]);
    expect(request.tools).toMatchObject([{ name: 'f' }]);
    expect(request.reasoning).toEqual({ effort: 'low' });
    expect(request.messages).toHaveLength(1);
  });

  it('rule 4: signatures come back to the format that made them, and one of a call attaches to it', () => {
    const [, turn] = read([
      { role: 'user', content: 'x' },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'hm' }],
        encrypted_content: 'gw1.anthropic.abc',
      },
      { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'gw1.gemini.def' },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'reasoning', id: 'rs_3', summary: [], encrypted_content: 'gAAAA' },
    ]).messages;
    expect(turn?.blocks).toMatchObject([
      { type: 'thinking', text: 'hm', signature: { wire: 'anthropic', value: 'abc' } },
      { type: 'tool_call', signature: { wire: 'gemini', value: 'def' } },
      { type: 'thinking', text: '', signature: { wire: 'openai-responses', value: 'gAAAA' } },
    ]);
  });
});

describe('rule 20: compaction', () => {
  it('a trigger at the end asks for a summary, without tools, and is not a message', () => {
    const request = read([{ role: 'user', content: 'x' }, { type: 'compaction_trigger' }], {
      tools: [{ type: 'function', name: 'f' }],
    });
    expect(request.messages.at(-1)?.blocks).toEqual([{ type: 'text', text: COMPACTION_PROMPT }]);
    expect(request.messages).toHaveLength(2);
    expect(request.tools).toBeUndefined();
  });

  it('a compaction of the gateway is read as its summary, and one of a provider stays opaque', () => {
    const [summary, other] = read([
      { type: 'compaction', encrypted_content: writeCompaction('The user wants a file.') },
      { type: 'compaction', encrypted_content: 'gAAAA' },
    ]).messages;
    expect(JSON.stringify(summary)).toContain('The user wants a file.');
    expect(other?.blocks).toMatchObject([{ type: 'opaque', name: 'compaction' }]);
  });
});

describe('faults of a request', () => {
  it.each<[string, unknown, JsonObject, string]>([
    ['no input', undefined, {}, 'input'],
    ['an empty input', [], {}, 'input'],
    ['input of another type', 5, {}, 'input'],
    ['an item that is none', [5], {}, 'input[0]'],
    ['an item without type and role', [{ content: 'x' }], {}, 'input[0].type'],
    ['an unknown role', [{ role: 'judge', content: 'x' }], {}, 'input[0].role'],
    ['content of another type', [{ role: 'user', content: 5 }], {}, 'input[0].content'],
    ['a part without a type', [{ role: 'user', content: [{ text: 'x' }] }], {}, 'input[0].content[0].type'],
    ['a part without its text', [{ role: 'user', content: [{ type: 'input_text' }] }], {}, 'input[0].content[0].text'],
    [
      'an image without an address',
      [{ role: 'user', content: [{ type: 'input_image' }] }],
      {},
      'input[0].content[0].image_url',
    ],
    ['a call without a name', [{ type: 'function_call', call_id: 'c', arguments: '{}' }], {}, 'input[0].name'],
    ['a result without a call', [{ type: 'function_call_output', output: 'x' }], {}, 'input[0].call_id'],
    ['tools of another type', 'x', { tools: {} }, 'tools'],
    ['a tool without a name', 'x', { tools: [{ type: 'function' }] }, 'tools[0].name'],
    ['a namespace without tools', 'x', { tools: [{ type: 'namespace', name: 'n' }] }, 'tools[0].tools'],
    [
      'a tool in a namespace',
      'x',
      { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function' }] }] },
      'tools[0].tools[0].name',
    ],
    ['a temperature', 'x', { temperature: 3 }, 'temperature'],
    ['a limit', 'x', { max_output_tokens: 0 }, 'max_output_tokens'],
    ['a stream', 'x', { stream: 'yes' }, 'stream'],
    ['a format', 'x', { text: { format: { type: 'yaml' } } }, 'text.format.type'],
    [
      'a format without its schema',
      'x',
      { text: { format: { type: 'json_schema', name: 'a' } } },
      'text.format.schema',
    ],
    ['a choice', 'x', { tool_choice: 5 }, 'tool_choice'],
    ['a list of included', 'x', { include: 'all' }, 'include'],
    ['metadata', 'x', { metadata: [] }, 'metadata'],
  ])('%s is named', (_name, input, more, param) => {
    let error: unknown;
    try {
      read(input, more);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ status: 400, param });
  });

  it('null is absent', () => {
    const nulls = ['temperature', 'tools', 'text', 'reasoning', 'metadata', 'stream', 'max_output_tokens', 'include'];
    expect(read('x', Object.fromEntries(nulls.map((name) => [name, null])))).toMatchObject({ model: 'm' });
  });

  it('is lenient where clients of chat are: nested functions, results as messages, calls within messages', () => {
    const request = read(
      [
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'ok' },
      ],
      { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] },
    );
    expect(request.messages[0]?.blocks[0] as ToolCallBlock).toMatchObject({ type: 'tool_call', id: 'c', name: 'f' });
    expect(request.messages[1]).toMatchObject({ role: 'tool', blocks: [{ callId: 'c' }] });
    expect(request.tools).toMatchObject([{ name: 'f' }]);
  });
});
