import fc from 'fast-check';
import type { JsonObject } from '../../runtime/json-value.js';
import { fieldRulesOf } from '../../providers/definitions/registry.js';
import { fitRequest } from './fit-request.js';

const USER = { role: 'user', content: 'Hi' };

function fit(server: string | undefined, request: JsonObject) {
  const body: JsonObject = { model: 'm', stream: false, messages: [USER], ...request };
  const { dropped, droppedFromHistory } = fitRequest(body, fieldRulesOf(server));
  return { sent: JSON.parse(JSON.stringify(body)) as JsonObject, dropped, droppedFromHistory };
}

/** Any response of the gateway. */
const response = fc.record(
  {
    role: fc.constant('assistant'),
    content: fc.option(fc.string()),
    refusal: fc.option(fc.string()),
    annotations: fc.array(fc.record({ type: fc.constant('url_citation') })),
    reasoning_content: fc.string(),
    reasoning: fc.string(),
    reasoning_details: fc.array(fc.record({ type: fc.constant('reasoning.text') })),
    thinking_blocks: fc.array(fc.record({ type: fc.constant('thinking') })),
    images: fc.array(fc.record({ type: fc.constant('image_url') })),
    audio: fc.record({ id: fc.string() }),
    function_call: fc.record({ name: fc.constant('f'), arguments: fc.string() }),
    tool_calls: fc.array(
      fc.record(
        {
          id: fc.string(),
          type: fc.constant('function'),
          function: fc.record({ name: fc.constant('f'), arguments: fc.string() }),
          index: fc.nat(),
          extra_content: fc.record({ google: fc.object() }),
        },
        { requiredKeys: ['id', 'type', 'function'] },
      ),
    ),
  },
  { requiredKeys: ['role', 'content', 'refusal'] },
);
const PARAMETERS = {
  user: 'u',
  seed: 4,
  store: true,
  service_tier: 'flex',
  logit_bias: { 5: 1 },
  top_k: 3,
  chat_template_kwargs: {},
  prompt_cache_key: 'k',
  safety_identifier: 's',
  verbosity: 'low',
  web_search_options: {},
  prediction: { type: 'content', content: 'a' },
};

const PARAMETERS_ARBITRARY = Object.fromEntries(
  Object.entries(PARAMETERS).map(([name, value]) => [name, fc.constant(value)]),
);

describe('fitRequest', () => {
  it.each(['mistral', 'groq', 'cerebras'] as const)('sends %s nothing that it does not know', (server) => {
    const { fields, messageFields } = fieldRulesOf(server) ?? {};
    fc.assert(
      fc.property(
        fc.array(response),
        fc.record(PARAMETERS_ARBITRARY, { requiredKeys: [] }),
        (responses, parameters) => {
          const messages = [USER, ...responses, { ...USER, name: 'Ada' }];
          const before = structuredClone(messages);
          const tools = [{ type: 'function', function: { name: 'f' } }];
          const { sent } = fit(server, { messages, tools, ...parameters });
          expect(messages).toEqual(before);
          expect(Object.keys(sent).filter((name) => fields?.has(name) !== true)).toEqual([]);
          for (const message of sent['messages'] as (JsonObject & { role: string })[]) {
            const known = messageFields?.[message.role];
            expect(Object.keys(message).filter((name) => known?.has(name) !== true)).toEqual([]);
            for (const call of (message['tool_calls'] ?? []) as JsonObject[]) {
              expect(Object.keys(call).filter((name) => !['id', 'type', 'function', 'index'].includes(name))).toEqual(
                [],
              );
            }
          }
        },
      ),
    );
  });

  it.each(['together', 'fireworks', 'nvidia'] as const)('sends %s nothing that it is known to refuse', (server) => {
    const message = {
      role: 'assistant',
      content: 'a',
      refusal: null,
      annotations: [],
      images: [{}],
      thinking_blocks: [{}],
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: {} }],
    };
    const { sent, dropped, droppedFromHistory } = fit(server, {
      messages: [USER, message],
      store: true,
      verbosity: 'low',
      user: 'u',
      top_k: 4,
    });
    expect(sent['messages']).toEqual([
      USER,
      {
        role: 'assistant',
        content: 'a',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
    ]);
    expect(sent).toMatchObject({ top_k: 4 });
    expect(sent).not.toHaveProperty('store');
    expect(dropped).toEqual(['store', 'verbosity']);
    expect(droppedFromHistory).toEqual([
      'messages[].images',
      'messages[].thinking_blocks',
      'messages[].tool_calls[].extra_content',
    ]);
  });

  it('gives Mistral the seed under its own name, and names only what the client will miss', () => {
    const { sent, dropped } = fit('mistral', { seed: 4, store: false, user: 'u', service_tier: 'auto', top_k: 3 });
    expect(sent).toMatchObject({ random_seed: 4 });
    expect(dropped).toEqual(['top_k']);
  });

  it('leaves out turns that Mistral would refuse as empty, and keeps the words of a refusal', () => {
    const { sent } = fit('mistral', {
      messages: [
        USER,
        { role: 'assistant', content: null, reasoning_content: 'Hm.' },
        { role: 'assistant', content: null, refusal: 'No.' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'Never.' }] },
        USER,
      ],
    });
    expect(sent['messages']).toEqual([
      USER,
      { role: 'assistant', content: 'No.' },
      { role: 'assistant', content: [{ type: 'text', text: 'Never.' }] },
      USER,
    ]);
  });

  it.each([
    [{ content: null }, { content: '' }],
    [{}, { content: '' }],
    [{ content: [] }, { content: '' }],
    [
      { content: null, reasoning_content: 'Hm.' },
      { content: '', reasoning_content: 'Hm.' },
    ],
    [
      { content: null, refusal: 'No.' },
      { content: 'No.', refusal: 'No.' },
    ],
    [{ content: 'a', refusal: null, annotations: [] }, { content: 'a' }],
    [{ content: null, tool_calls: [] }, { content: '' }],
    [
      { content: null, audio: { id: 'a' } },
      { content: null, audio: { id: 'a' } },
    ],
    [
      { content: [], tool_calls: [{ id: 'c' }] },
      { content: null, tool_calls: [{ id: 'c' }] },
    ],
    [
      { content: null, function_call: { name: 'f' } },
      { content: null, function_call: { name: 'f' } },
    ],
    [
      { content: 'a', later: null },
      { content: 'a', later: null },
    ],
  ])('sends the turn %j to any server as %j', (turn, sentTurn) => {
    const { sent, dropped, droppedFromHistory } = fit(undefined, {
      messages: [USER, { role: 'assistant', ...turn }, { role: 'user', content: [] }],
    });
    expect(sent['messages']).toEqual([USER, { role: 'assistant', ...sentTurn }, { role: 'user', content: '' }]);
    expect([...dropped, ...droppedFromHistory]).toEqual([]);
  });

  it('sends as many stop sequences as the server takes', () => {
    const stop = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(fit('openai', { stop })).toMatchObject({
      sent: { stop: stop.slice(0, 4) },
      dropped: ['stop[4]', 'stop[5]'],
    });
    expect(fit('mistral', { stop })).toMatchObject({ sent: { stop }, dropped: [] });
    expect(fit(undefined, { stop })).toMatchObject({ sent: { stop }, dropped: [] });
    expect(fit(undefined, { stop: [] }).sent).not.toHaveProperty('stop');
  });
});
