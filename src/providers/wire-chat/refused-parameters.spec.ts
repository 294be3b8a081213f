import { call, failure } from '../../../test/upstreams/provider-calls.js';
import { startScriptedUpstream, type ScriptedUpstream } from '../../../test/upstreams/scripted-upstream.js';
import { definition } from '../definitions/anthropic.js';
import { WireProvider } from './wire-provider.js';

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};

let upstream: ScriptedUpstream;
let provider: WireProvider;

/** A model that refuses more than any definition knows. */
function refuse(message: (body: Readonly<Record<string, unknown>>) => string | undefined): void {
  upstream.respondWith((body) => {
    const text = message(body);
    if (text === undefined) return { body: MESSAGE };
    return { status: 400, body: { type: 'error', error: { type: 'invalid_request_error', message: text } } };
  });
}
const sent = (): Record<string, unknown>[] =>
  upstream.received.map((text) => JSON.parse(text) as Record<string, unknown>);

beforeAll(async () => {
  upstream = await startScriptedUpstream();
});
afterAll(() => upstream.stop());
beforeEach(() => {
  upstream.received.length = 0;
  if (definition.chat === undefined) throw new Error('no chat');
  const config = {
    name: 'a',
    type: 'anthropic',
    baseUrl: `${upstream.url}/v1`,
    apiKey: 'sk-ant-0123456789',
    headers: {},
    listModels: true,
  };
  provider = new WireProvider({ ...definition, chat: definition.chat }, config, {
    maxResponseBytes: 1_048_576,
    connectTimeoutMs: 1000,
  });
});
afterEach(() => provider.close());

test('parameters that a model refuses are left out, named, and not sent again', async () => {
  refuse(({ top_k: topK, top_p: topP }) => {
    if (topK !== undefined) return '`top_k` is not supported for this model.';
    return topP === undefined ? undefined : '`top_p` is deprecated for this model.';
  });
  const dropped: string[][] = [];
  const onDroppedParams = (names: readonly string[]): number => dropped.push([...names]);
  await provider.complete(call('some-model', { top_k: 5, top_p: 0.9 }, { onDroppedParams }));
  const first = upstream.received.length;
  await provider.complete(call('some-model', { top_k: 5, top_p: 0.9 }, { onDroppedParams }));
  expect(upstream.received).toHaveLength(first + 1);
  expect(sent().at(-1)).not.toHaveProperty('top_k');
  expect(sent().at(-1)).not.toHaveProperty('top_p');
  expect(dropped.at(-1)).toEqual(expect.arrayContaining(['top_k', 'top_p']));
});

test('a refusal of what the request is about reaches the client at once', async () => {
  refuse(() => 'messages.0.content: Unexpected value');
  expect(await failure(provider.complete(call('some-model', { temperature: 0.5 })))).toMatchObject({ status: 400 });
  expect(upstream.received).toHaveLength(1);
});
