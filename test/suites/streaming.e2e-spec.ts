import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { startFakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

interface Chunk {
  id: string;
  object: string;
  created: number;
  model: string;
  choices: { index: number; delta: Record<string, unknown>; finish_reason: string | null }[];
  usage?: { total_tokens: number } | null;
}

describe('streaming, byte by byte', () => {
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    gateway = await startGateway({ config: { streaming: { keep_alive: '200ms' } } });
    key = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
  });

  async function open(body: object): Promise<IncomingMessage> {
    const request = httpRequest(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'accept-encoding': 'gzip, br' },
    });
    request.end(
      JSON.stringify({
        model: 'sandbox/echo',
        messages: [{ role: 'user', content: 'one two  three' }],
        stream: true,
        ...body,
      }),
    );
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  async function read(body: object): Promise<{ response: IncomingMessage; text: string }> {
    const response = await open(body);
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += String(part);
    return { response, text };
  }

  function chunksOf(text: string): Chunk[] {
    return text
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: {'))
      .map((frame) => JSON.parse(frame.slice(6)) as Chunk);
  }

  it('sends frames of data lines alone, in the contract’s order, and ends with [DONE]', async () => {
    const { response, text } = await read({});
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-gateway-model': 'sandbox/echo',
      'x-gateway-provider': 'sandbox',
    });
    expect(response.headers['content-encoding']).toBeUndefined();
    expect(text).toMatch(/^(data: (\{.*\}|\[DONE\])\n\n)+$/);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(text.indexOf('[DONE]')).toBe(text.lastIndexOf('[DONE]'));
    const chunks = chunksOf(text);
    expect(new Set(chunks.map(({ id, created, object, model }) => `${id}|${created}|${object}|${model}`)).size).toBe(1);
    expect(chunks[0]?.object).toBe('chat.completion.chunk');
    expect(chunks[0]?.choices[0]?.delta['role']).toBe('assistant');
    expect(chunks.map(({ choices }) => (choices[0]?.delta['content'] ?? '') as string).join('')).toBe('one two  three');
    expect(chunks.at(-1)?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);
    expect(chunks.slice(0, -1).every(({ choices }) => choices[0]?.finish_reason === null)).toBe(true);
    expect(chunks.some(({ usage }) => usage != null)).toBe(false);
  });

  it('sends the usage chunk last, and only when it was asked for', async () => {
    const chunks = chunksOf((await read({ stream_options: { include_usage: true } })).text);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } });
    expect(chunks.filter(({ choices }) => choices.length === 0)).toHaveLength(1);
  });

  it('ends each of n choices with its own finish chunk', async () => {
    const chunks = chunksOf((await read({ n: 3 })).text);
    const finished = chunks.flatMap(({ choices }) => choices.filter(({ finish_reason }) => finish_reason !== null));
    expect(finished.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(finished.every(({ delta }) => Object.keys(delta).length === 0)).toBe(true);
  });

  it('gives a refusal before the first event its real status', async () => {
    const response = await open({ model: 'sandbox/error-429' });
    expect(response.statusCode).toBe(429);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(response.headers['retry-after-ms'])).toBeGreaterThan(0);
    response.resume();
  });

  it('ends a stream that breaks with an error event and no [DONE]', async () => {
    const { response, text } = await read({ model: 'sandbox/cut' });
    expect(response.statusCode).toBe(200);
    expect(text).not.toContain('[DONE]');
    const last = text.trimEnd().split('\n\n').at(-1) ?? '';
    expect(JSON.parse(last.slice(6))).toEqual({
      error: { message: expect.any(String) as string, type: 'server_error', param: null, code: 'upstream_error' },
    });
    expect(chunksOf(text).length).toBeGreaterThan(1);
  });

  it('writes nothing while the first token is awaited, so that its status stays open', async () => {
    const started = performance.now();
    const response = await open({ model: 'sandbox/slow', sandbox: { delay_ms: 700 } });
    expect(performance.now() - started).toBeGreaterThan(600);
    response.resume();
    await once(response, 'end');
  });
});

describe('a client that opens a stream and never reads it', () => {
  it('keeps its place no longer than the total timeout, and its socket not much longer', async () => {
    const upstream = await startFakeUpstream();
    const gateway = await startGateway({
      config: { providers: { fake: openAiAt(upstream) }, upstream: { timeouts: { total: '2s' } } },
    });
    const key = await gateway.apiKey({ limits: { concurrency: 1 } });
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const closed = once(socket, 'close');
    socket.on('error', () => undefined).pause();
    const body = JSON.stringify({
      model: 'fake/endless?mb=200&chunk=60000',
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
    });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const ask = async (): Promise<number> => (await gateway.client(key).chat({ model: 'fake/echo' })).status;
    await until(async () => (await upstream.requests()).length === 1);
    // It has the one place of its key, for as long as the timeout lasts.
    await until(async () => (await ask()) === 200);
    await until(async () => (await upstream.openSockets()) <= 1);
    // A paused socket notices its end only when it reads.
    const log = (): string => gateway.logs();
    await until(() => /"stream":true.*"error_code":"upstream_timeout"/.test(log()));
    socket.resume();
    await closed;
    await gateway.stop();
    await upstream.stop();
  });
});
