import { ApiError, GoogleGenAI, type GenerateContentResponse, type Part } from '@google/genai';
import { startFakeNativeProviders, type FakeNativeProviders } from '../upstreams/fake-native-providers.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

/** One red pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const WEATHER = {
  functionDeclarations: ['weather', 'clock'].map((name) => ({
    name,
    description: `Asks the ${name}`,
    parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  })),
};

async function textOf(
  stream: AsyncGenerator<GenerateContentResponse>,
): Promise<{ text: string; last?: GenerateContentResponse }> {
  let text = '';
  let last: GenerateContentResponse | undefined;
  for await (const chunk of stream) {
    text += chunk.text ?? '';
    last = chunk;
  }
  return { text, ...(last !== undefined && { last }) };
}

describe("Google's SDK, through the gateway", () => {
  let providers: FakeNativeProviders;
  let gateway: RunningGateway;
  let key: string;
  let client: GoogleGenAI;

  beforeAll(async () => {
    providers = await startFakeNativeProviders();
    gateway = await startGateway({
      config: `sandbox: true
providers:
  google: { type: google, api_key: native-key, base_url: "${providers.baseUrl('google')}" }
  anthropic: { type: anthropic, api_key: native-key, base_url: "${providers.baseUrl('anthropic')}" }
`,
    });
    key = await gateway.apiKey();
    client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: gateway.url, apiVersion: 'v1beta' } });
  });
  afterAll(async () => {
    await gateway.stop();
    await providers.stop();
  });

  describe.each([['google/gemini-2.5-flash'], ['anthropic/claude-sonnet-4-5'], ['sandbox/echo']])('%s', (model) => {
    it('answers in text, whole and streamed, with usage', async () => {
      const whole = await client.models.generateContent({ model, contents: 'Grüße, 世界' });
      expect(whole.text).toBe('Grüße, 世界');
      expect(whole.candidates?.[0]?.finishReason).toBe('STOP');
      expect(whole.usageMetadata?.totalTokenCount).toBeGreaterThan(0);
      const { text, last } = await textOf(
        await client.models.generateContentStream({ model, contents: 'one two three' }),
      );
      expect(text).toBe('one two three');
      expect(last?.candidates?.[0]?.finishReason).toBe('STOP');
      expect(last?.usageMetadata?.totalTokenCount).toBeGreaterThan(0);
    });

    it('the stream without alt=sse is one JSON array', async () => {
      const response = await fetch(`${gateway.url}/v1beta/models/${model}:streamGenerateContent?key=${key}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ contents: [{ parts: [{ text: 'one two' }] }] }),
      });
      expect(response.headers.get('content-type')).toContain('application/json');
      const events = (await response.json()) as GenerateContentResponse[];
      const parts = events.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? []);
      expect(parts.map(({ text }) => text ?? '').join('')).toBe('one two');
    });

    it('counts tokens and names a fault by its field, in the form of google.rpc', async () => {
      const { totalTokens } = await client.models.countTokens({ model, contents: 'How many tokens are these?' });
      expect(totalTokens).toBeGreaterThan(3);
      const bad = client.models.generateContent({ model, contents: [{ role: 'user', parts: [{}] }] });
      await expect(bad).rejects.toMatchObject({ status: 400 });
      await bad.catch((error: unknown) => {
        expect((error as ApiError).message).toContain('contents[0].parts[0]');
        expect((error as ApiError).message).toContain('INVALID_ARGUMENT');
      });
    });
  });

  it.each(['google/gemini-2.5-flash', 'anthropic/claude-sonnet-4-5'])(
    'rule 4: %s calls functions, and takes results and signatures back',
    async (model) => {
      const contents: { role: string; parts: Part[] }[] = [{ role: 'user', parts: [{ text: 'go' }] }];
      for (const isStream of [false, true]) {
        const parts: Part[] = [];
        if (isStream) {
          for await (const chunk of await client.models.generateContentStream({
            model,
            contents,
            config: { tools: [WEATHER] },
          })) {
            parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
          }
        } else {
          const response = await client.models.generateContent({ model, contents, config: { tools: [WEATHER] } });
          parts.push(...(response.candidates?.[0]?.content?.parts ?? []));
        }
        const calls = parts.flatMap((part) => part.functionCall ?? []);
        expect(calls.map(({ name }) => name)).toEqual(['weather', 'clock']);
        const results = calls.map(({ id, name }) => ({
          functionResponse: {
            ...(id !== undefined && { id }),
            ...(name !== undefined && { name }),
            response: { output: `of ${name}` },
          },
        }));
        providers.requests.length = 0;
        const reply = await client.models.generateContent({
          model,
          contents: [
            ...contents,
            { role: 'model', parts: parts.filter(({ text }) => text !== '') },
            { role: 'user', parts: results },
          ],
          config: { tools: [WEATHER] },
        });
        expect(reply.text).toContain('of weather');
        expect(reply.text).toContain('of clock');
        if (model.startsWith('google')) {
          expect(JSON.stringify(providers.requests.at(-1)?.body)).toContain('"thoughtSignature":"signed-by-the-fake"');
        }
      }
    },
  );

  it('passes what only Gemini knows to Gemini as it is, and takes it for other models', async () => {
    const body = {
      contents: [{ role: 'user', parts: [{ text: 'x' }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] }],
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      a_new_field: { id: 7 },
    };
    const send = (model: string): Promise<Response> =>
      fetch(`${gateway.url}/v1beta/models/${model}:generateContent`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-goog-api-key': key },
        body: JSON.stringify(body),
      });
    providers.requests.length = 0;
    expect((await send('google/gemini-2.5-flash')).status).toBe(200);
    expect(providers.requests[0]?.body).toEqual(body);
    expect((await send('sandbox/echo')).status).toBe(200);
  });

  it('newer versions of the SDK call the methods below /v1', async () => {
    const newer = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: gateway.url, apiVersion: 'v1' } });
    const model = 'sandbox/echo';
    expect((await newer.models.generateContent({ model, contents: 'Hello' })).text).toBe('Hello');
    const { text } = await textOf(await newer.models.generateContentStream({ model, contents: 'one two' }));
    expect(text).toBe('one two');
    const bad = newer.models.generateContent({ model: 'nothing', contents: 'x' });
    await expect(bad).rejects.toThrow(/NOT_FOUND/);
  });

  it('embeds one text and several', async () => {
    const { embeddings } = await client.models.embedContent({
      model: 'sandbox/embed',
      contents: ['a', 'b'],
      config: { outputDimensionality: 8 },
    });
    expect(embeddings?.map(({ values }) => values?.length)).toEqual([8, 8]);
    const one = await fetch(`${gateway.url}/v1beta/models/sandbox%2Fembed:embedContent?key=${key}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: { parts: [{ text: 'a' }] }, output_dimensionality: 8 }),
    });
    expect(((await one.json()) as { embedding: { values: number[] } }).embedding.values).toHaveLength(8);
  });

  it('lists and reads models', async () => {
    const names: (string | undefined)[] = [];
    for await (const { name } of await client.models.list()) names.push(name);
    expect(names).toContain('models/sandbox/echo');
    expect(await client.models.get({ model: 'models/sandbox/echo' })).toMatchObject({ name: 'models/sandbox/echo' });
  });

  it.each([
    ['a wrong key', 'GET', '/v1beta/models?key=wrong', 401, 'UNAUTHENTICATED'],
    ['no key', 'POST', '/v1beta/models/sandbox/echo:generateContent', 401, 'UNAUTHENTICATED'],
    ['an unknown path', 'GET', '/v1beta/nothing', 404, 'NOT_FOUND'],
    ['an unknown method', 'POST', '/v1beta/models/sandbox/echo:predict', 404, 'NOT_FOUND'],
  ])('%s has an error in the form of google.rpc', async (_, method, path, code, status) => {
    const response = await fetch(`${gateway.url}${path}`, { method });
    expect(response.status).toBe(code);
    expect(await response.json()).toMatchObject({ error: { code, status } });
  });

  it('an unknown model is a 404, and an error of the provider has its status', async () => {
    await expect(client.models.generateContent({ model: 'nothing', contents: 'x' })).rejects.toMatchObject({
      status: 404,
    });
    await expect(
      client.models.generateContent({ model: 'google/gemini-2.5-flash-status-429', contents: 'x' }),
    ).rejects.toMatchObject({ status: 429 });
  });

  it('ends the request at the provider when the client goes', async () => {
    const controller = new AbortController();
    providers.requests.length = 0;
    const stream = await client.models.generateContentStream({
      model: 'google/gemini-2.5-flash-wordy',
      contents: 'x',
      config: { abortSignal: controller.signal },
    });
    await stream.next();
    controller.abort();
    await expect(textOf(stream)).rejects.toThrow();
    await until(() => providers.requests[0]?.aborted === true);
  });

  it('no log line has the key of a query', () => {
    expect(gateway.logs()).not.toContain(key);
  });
});
