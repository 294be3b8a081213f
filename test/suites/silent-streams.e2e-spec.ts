import { WIRE_CLIENTS } from '../clients/wire-clients/wire-clients.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { OWN_FORMAT_RECORDINGS } from '../fixtures/recordings/own-format-recordings.js';
import { CHAT_RECORDINGS } from '../fixtures/recordings/chat-recordings.js';
import type { Recording } from '../fixtures/recordings/recording.js';
import { RESPONSES_RECORDINGS } from '../fixtures/recordings/responses-recordings.js';
import { ReplayProvider } from '../upstreams/replay-provider.js';
import { streamFrames, streamTypeOf } from '../upstreams/stream-frames.js';

/** One stream of each format of providers. */
const STREAMS: readonly Recording[] = ['openai', 'responses', 'anthropic', 'google', 'bedrock', 'cohere'].map(
  (name) => {
    const all = [...CHAT_RECORDINGS, ...OWN_FORMAT_RECORDINGS, ...RESPONSES_RECORDINGS];
    return all.find(({ provider, events }) => provider === name && events !== undefined)!;
  },
);
/** Of an endpoint's signs of life, by the client's format. */
const SIGNS: Readonly<Record<string, RegExp>> = {
  messages: /event: ping\ndata: \{"type":"ping"\}\n\n/,
  gemini: /(?:^|\n)\n\n/,
  chat: /(?:^|\n): ?\S*/,
  completions: /(?:^|\n): ?\S*/,
  responses: /(?:^|\n): ?\S*/,
};
const MODELS: Readonly<Record<string, string>> = {
  anthropic: 'claude-sonnet-4-5',
  google: 'gemini-2.5-flash',
  bedrock: 'eu.amazon.nova-2-lite-v1:0',
};

describe('rule 3: a provider that stops in the middle of a stream', () => {
  const provider = new ReplayProvider();
  let gateway: RunningGateway;

  beforeAll(async () => {
    await provider.start();
    gateway = await startGateway({
      config: {
        providers: provider.providers(STREAMS.map(({ provider: name }) => name)),
        streaming: { keep_alive: '100ms' },
        upstream: { timeouts: { connect: '60s', first_byte: '60s', idle: '900ms' } },
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  it.each(WIRE_CLIENTS.map((client) => [client.name, client] as const))(
    'clients of %s get signs of life, and an error after the idle limit',
    async (name, client) => {
      await Promise.all(
        STREAMS.map(async ({ provider: entry, wire, events = [] }) => {
          const frames = streamFrames(wire, events);
          const pieces = frames.slice(0, Math.ceil(frames.length / 2));
          const prompt = provider.add({ headers: { 'content-type': streamTypeOf(wire) }, pieces, holds: true });
          const model = `${entry}/${MODELS[entry] ?? 'm'}-${name}`;
          const { path, body } = client.ask({ model, prompt, isStream: true });
          const response = await gateway.admin.post(path, JSON.stringify(body));
          expect([entry, response.status]).toEqual([entry, 200]);
          expect(response.text).toMatch(SIGNS[name] ?? /$^/);
          const outcome = client.readStream(response.text, !client.native.includes(wire));
          expect([entry, outcome.isWhole, outcome.error === undefined]).toEqual([entry, false, false]);
        }),
      );
    },
  );
});
