import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ask, type Outcome } from '../../scripts/rescue/client.mjs';
import { RESPONSE, startFaultyProvider, type FaultyProvider } from '../../scripts/rescue/faulty-provider.mjs';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

const FORMATS = ['chat', 'messages', 'responses'] as const;
type Format = (typeof FORMATS)[number];

/** Cut after 40 of 60 words. */
const CUT = 's08';

describe('streams that break', () => {
  let upstream: FaultyProvider;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    upstream = await startFaultyProvider();
    const chain = (format: Format, name: string, fallback: string, more: object = {}): ReturnType<typeof model>[] => [
      model(`${format}-${name}`, `${format}/${format}-${name}`, { fallbacks: [fallback], ...more }),
    ];
    gateway = await startGateway({
      config: {
        upstream: { timeouts: { connect: '60s' } },
        providers: {
          chat: openAiAt(upstream, { list_models: false }),
          messages: { type: 'anthropic', base_url: `${upstream.url}/v1`, api_key: 'x' },
          responses: openAiAt(upstream, { responses: 'native', list_models: false }),
        },
        models: FORMATS.flatMap((format) => [
          model(`${format}-ok`, `${format}/ok`, { price: price(1, 1) }),
          model(`${format}-ok-noprefill`, `${format}/ok-noprefill`),
          ...chain(format, CUT, `${format}-ok`, { price: price(1, 1) }),
          ...chain(format, 's09', `${format}-ok`, { timeouts: { idle: '2s' } }),
          ...chain(format, 's10', `${format}-ok`),
          ...chain(format, 's11', `${format}-ok`),
          ...chain(format, 's14', `${format}-ok-noprefill`),
          // The fallback speaks another format.
          ...chain(format, `${CUT}-across`, format === 'chat' ? 'messages-ok' : 'chat-ok'),
        ]),
      },
    });
    key = await gateway.apiKey({ scopes: ['inference', 'routing'] });
    // Most requests must go well, so that there is room for further attempts.
    await Promise.all(Array.from({ length: 60 }, () => ask(gateway.url, key, 'chat', 'chat-ok')));
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const send = (client: Format, id: string, headers: Record<string, string> = {}): Promise<Outcome> =>
    ask(gateway.url, key, client, id, headers);

  describe.each(FORMATS)('to a client of %s', (client) => {
    it.each(FORMATS.flatMap((format) => [`${format}-${CUT}`, `${format}-s14`, `${format}-${CUT}-across`]))(
      'are whole when %s breaks: one id, and the end says that another deployment went on',
      async (id) => {
        for (const mode of ['continue', 'restart']) {
          const outcome = await send(client, id, { 'x-gateway-stream-recovery': mode });
          const { isWhole, text, error, recovered, ids } = outcome;
          expect({ isWhole, text, error, recovered, ids: ids.length }).toEqual({
            isWhole: true,
            text: RESPONSE,
            error: '',
            recovered: 1,
            ids: 1,
          });
          expect(outcome.usage).toBeTruthy();
        }
      },
    );

    it('are whole when the provider is silent in the middle, and when one event cannot be read', async () => {
      const [stalled, skipped] = await Promise.all([send(client, `${client}-s09`), send(client, `${client}-s10`)]);
      expect([stalled.text, stalled.recovered, skipped.text, skipped.recovered]).toEqual([RESPONSE, 1, RESPONSE, 0]);
    });

    it('end as their format says where the provider leaves that out', async () => {
      const { isWhole, text, recovered } = await send(client, `${client}-s11`);
      expect([isWhole, text, recovered]).toEqual([true, RESPONSE, 0]);
    });

    it('end in an error where recovery is off', async () => {
      const { isWhole, text, error } = await send(client, `${client}-${CUT}`, { 'x-gateway-stream-recovery': 'off' });
      expect([isWhole, RESPONSE.startsWith(text), error === '']).toEqual([false, true, false]);
    });
  });

  it('make the official libraries throw where they did not finish', async () => {
    const defaultHeaders = { 'x-gateway-stream-recovery': 'off' };
    const openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0, defaultHeaders });
    const anthropic = new Anthropic({ apiKey: key, baseURL: gateway.url, maxRetries: 0, defaultHeaders });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    const chat = openai.chat.completions.stream({ model: `chat-${CUT}`, messages });
    await expect(chat.finalChatCompletion()).rejects.toThrow();
    const message = anthropic.messages.stream({ model: `messages-${CUT}`, messages, max_tokens: 100 });
    await expect(message.finalMessage()).rejects.toThrow();
    const whole = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const streamed = whole.chat.completions.stream({ model: `chat-${CUT}`, messages });
    expect((await streamed.finalChatCompletion()).choices[0]?.message.content).toBe(RESPONSE);
    const response = whole.responses.stream({ model: `responses-${CUT}`, input: 'hi' });
    expect((await response.finalResponse()).output_text).toBe(RESPONSE);
  });

  it('need the scope for a mode that asks for more, and a mode that exists', async () => {
    const plain = await gateway.apiKey();
    const denied = await ask(gateway.url, plain, 'chat', 'chat-ok', { 'x-gateway-stream-recovery': 'restart' });
    expect(denied.error).toMatch(/HTTP 403.*routing/);
    expect((await send('chat', 'chat-ok', { 'x-gateway-stream-recovery': 'maybe' })).error).toMatch(/HTTP 400/);
  });

  it('are counted', async () => {
    await until(async () => {
      const samples = (await gateway.admin.metrics()).get('gateway_stream_recoveries_total')?.samples ?? [];
      return samples.some(({ labels, value }) => labels['outcome'] === 'recovered' && value > 0);
    });
  });
});
