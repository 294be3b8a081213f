import { call, failure } from '../../../test/upstreams/provider-calls.js';
import { startScriptedUpstream, type ScriptedUpstream } from '../../../test/upstreams/scripted-upstream.js';
import type { Quirks } from '../../config/gateway-config.js';
import { SOURCE, type RequestSource } from '../../operations/chat/canonical/sources.js';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { OpenAiProvider } from './openai-provider.js';

const COMPLETION = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
};

let upstream: ScriptedUpstream;
let provider: OpenAiProvider;

function start(quirks: Quirks = {}): void {
  provider = new OpenAiProvider(
    { name: 'fake', type: 'openai', baseUrl: `${upstream.url}/v1`, apiKey: 'k', headers: {}, listModels: true, quirks },
    { maxResponseBytes: 1_048_576, connectTimeoutMs: 1000 },
  );
}

/** As from a client of Anthropic's format. */
function translated(fields: Partial<ChatRequest>, body: Record<string, string | boolean> = {}): Partial<ChatRequest> {
  const messages = fields.messages ?? [{ role: 'user' as const, content: 'Hi' }];
  const source: RequestSource = {
    wire: 'anthropic',
    body,
    canonical: { model: 'm', messages: [] },
    dropped: [],
    toolNames: undefined,
    changed: () => ({ model: 'm', messages }),
  };
  return { ...fields, messages, [SOURCE]: source };
}

const sent = (): Record<string, unknown>[] =>
  upstream.received.map((text) => JSON.parse(text) as Record<string, unknown>);

/** A server that takes none of these fields, and names the first that it finds. */
function refuse(...fields: string[]): void {
  upstream.respondWith((body) => {
    const field = fields.find((name) => body[name] !== undefined);
    if (field === undefined) return { body: COMPLETION };
    const message = `Unsupported parameter: '${field}' is not supported with this model.`;
    return { status: 400, body: { error: { message, type: 'invalid_request_error', param: field, code: null } } };
  });
}

beforeAll(async () => {
  upstream = await startScriptedUpstream();
});
afterAll(() => upstream.stop());
beforeEach(() => {
  upstream.received.length = 0;
  start();
});
afterEach(() => provider.close());

describe('a request that was translated from another format', () => {
  it('does without fields that the model refuses, names them, and does not send them again', async () => {
    refuse('reasoning_effort', 'top_p');
    const request = translated({ reasoning_effort: 'high', top_p: 0.9, temperature: 1 });
    const dropped: string[][] = [];
    const onDroppedParams = (names: readonly string[]): number => dropped.push([...names]);
    await provider.complete(call('m', request, { onDroppedParams }));
    expect(upstream.received).toHaveLength(3);
    await provider.complete(call('m', request, { onDroppedParams }));
    expect(upstream.received).toHaveLength(4);
    expect(sent().at(-1)).toMatchObject({ temperature: 1 });
    expect(sent().at(-1)).not.toHaveProperty('top_p');
    expect(dropped.at(-1)).toEqual(['reasoning_effort', 'top_p']);
  });

  it('learns of each model by itself', async () => {
    refuse('seed');
    await provider.complete(call('a', translated({ seed: 1 })));
    upstream.respondWith({ body: COMPLETION });
    await provider.complete(call('b', translated({ seed: 1 })));
    expect(sent().at(-1)).toMatchObject({ seed: 1 });
  });

  it('fails where the request wants all of its parameters', async () => {
    refuse('seed');
    const error = await failure(provider.complete(call('m', translated({ seed: 1 }, { strict_params: true }))));
    expect(error).toMatchObject({ status: 400, param: 'seed' });
  });

  it('ends with the refusal of a server that refuses what it was not sent', async () => {
    const error = { message: 'seed is not supported', param: 'seed' };
    upstream.respondWith({ status: 400, body: { error } });
    expect(await failure(provider.complete(call('m', translated({ seed: 1 }))))).toMatchObject({ status: 400 });
    expect(upstream.received).toHaveLength(2);
  });

  it('has its system messages at the beginning for servers of open models alone', async () => {
    upstream.respondWith({ body: COMPLETION });
    const messages: ChatRequest['messages'] = [
      { role: 'system', content: 'A' },
      { role: 'user', content: 'B' },
      { role: 'system', content: 'C' },
    ];
    await provider.complete(call('m', translated({ messages })));
    await provider.close();
    start({ developerRole: false });
    await provider.complete(call('m', translated({ messages })));
    await provider.complete(call('m', { messages }));
    const roles = sent().map((body) => (body['messages'] as { role: string }[]).map(({ role }) => role));
    expect(roles).toEqual([
      ['system', 'user', 'system'],
      ['system', 'user', 'user'],
      ['system', 'user', 'system'],
    ]);
  });
});

describe("a request in the provider's own format", () => {
  it('gets the refusal', async () => {
    refuse('seed');
    expect(await failure(provider.complete(call('m', { seed: 1 })))).toMatchObject({ status: 400, param: 'seed' });
    expect(upstream.received).toHaveLength(1);
  });
});
