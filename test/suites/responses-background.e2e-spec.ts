import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { changeDatabase } from '../fixtures/query-database.js';
import { RECORDINGS, responseOf } from '../fixtures/responses-recordings.js';
import { until } from '../fixtures/until.js';
import { framesOf, startResponsesServer, type ResponsesServer } from '../upstreams/fake-responses.js';
import { chunkOf, completionOf } from '../upstreams/scripted-upstream.js';

/** A server of OpenAI's chat whose responses wait until the test lets them go. */
class HeldUpstream {
  readonly waiting: ServerResponse[] = [];
  gone = 0;
  private readonly server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      response.on('close', () => {
        if (!response.writableFinished) this.gone += 1;
      });
      if ((JSON.parse(text || '{}') as { stream?: boolean }).stream === true) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(chunkOf({ role: 'assistant', content: 'Hel' }))}\n\n`);
      }
      this.waiting.push(response);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async next(): Promise<ServerResponse> {
    await until(() => this.waiting.length > 0);
    const response = this.waiting.shift();
    if (response === undefined) throw new Error('no request');
    return response;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}

describe('responses in the background', () => {
  const held = new HeldUpstream();
  let native: ResponsesServer;
  let gateway: RunningGateway;
  let openai: OpenAI;
  let other: OpenAI;
  let key: string;

  beforeAll(async () => {
    const url = await held.start();
    native = await startResponsesServer();
    gateway = await startGateway({
      config: {
        sandbox: true,
        providers: {
          held: { type: 'openai', base_url: `${url}/v1`, api_key: 'sk-held', responses: 'off' },
          native: { type: 'openai', base_url: `${native.url}/v1`, api_key: 'sk-native', responses: 'native' },
        },
        models: [
          { id: 'held', deployments: [{ provider: 'held', model: 'gpt-4.1' }] },
          { id: 'native', deployments: [{ provider: 'native', model: 'gpt-5' }] },
        ],
      },
    });
    key = await gateway.apiKey();
    const client = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    openai = client(key);
    other = client(await gateway.apiKey());
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([held.stop(), native.stop()]);
  });
  beforeEach(() => {
    native.received.length = 0;
    native.respondWith(() => ({ body: responseOf(RECORDINGS.text) }));
  });

  const finished = async (id: string): Promise<OpenAI.Responses.Response> => {
    let response = await openai.responses.retrieve(id);
    await until(async () => {
      response = await openai.responses.retrieve(id);
      return response.status !== 'in_progress' && response.status !== 'queued';
    });
    return response;
  };
  const release = (response: ServerResponse, text: string): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(completionOf({ content: text })));
  };

  it('are queued, read until they are completed, and gone on from', async () => {
    const queued = await openai.responses.create({ model: 'held', input: 'Say hello.', background: true });
    expect(queued).toMatchObject({ status: 'queued', background: true, output: [], error: null });
    expect((await openai.responses.retrieve(queued.id)).status).toBe('in_progress');
    await expect(
      openai.responses.create({ model: 'held', input: 'And?', previous_response_id: queued.id }),
    ).rejects.toMatchObject({ status: 400, param: 'previous_response_id' });
    await expect(other.responses.retrieve(queued.id)).rejects.toBeInstanceOf(NotFoundError);
    // The head alone, while the events are still to come.
    const head = await gateway.client(key).send('HEAD', `/v1/responses/${queued.id}?stream=true`);
    expect([head.status, head.header('content-type'), head.text]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      '',
    ]);
    release(await held.next(), 'Hello');
    const done = await finished(queued.id);
    expect(done).toMatchObject({ id: queued.id, status: 'completed', background: true, store: true });
    expect(done.output_text).toBe('Hello');
    const { data } = await openai.responses.inputItems.list(queued.id);
    expect(data).toMatchObject([{ role: 'user' }]);
    const next = openai.responses.create({ model: 'held', input: 'Again.', previous_response_id: queued.id });
    release(await held.next(), 'Hello again');
    expect((await next).output_text).toBe('Hello again');
  });

  it('a provider that has the API gets the request without `background`, and the id stays the gateway’s', async () => {
    const queued = await openai.responses.create({ model: 'native', input: 'Say hello.', background: true });
    const done = await finished(queued.id);
    expect(done).toMatchObject({ id: queued.id, status: 'completed', background: true });
    expect(done.output_text).toBe('Hi there! How can I assist you today?');
    expect(native.received.map(({ body }) => body)).toEqual([{ model: 'gpt-5', input: 'Say hello.' }]);
  });

  it('are cancelled, which ends the call of the provider', async () => {
    const { gone } = held;
    const { id } = await openai.responses.create({ model: 'held', input: 'Wait.', background: true });
    await held.next();
    await expect(other.responses.cancel(id)).rejects.toBeInstanceOf(NotFoundError);
    expect(await openai.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' });
    await until(() => held.gone > gone);
    expect((await openai.responses.cancel(id)).status).toBe('cancelled');
    expect((await openai.responses.retrieve(id)).status).toBe('cancelled');
    const plain = await openai.responses.create({ model: 'sandbox/echo', input: 'x' });
    await expect(openai.responses.cancel(plain.id)).rejects.toBeInstanceOf(BadRequestError);
  });

  it('end when they are deleted', async () => {
    const { gone } = held;
    const { id } = await openai.responses.create({ model: 'held', input: 'Wait.', background: true });
    await held.next();
    await openai.responses.delete(id);
    await until(() => held.gone > gone);
    await expect(openai.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('fail with the code of the fault', async () => {
    const { id } = await openai.responses.create({ model: 'held', input: 'x', background: true });
    (await held.next())
      .writeHead(400, { 'content-type': 'application/json' })
      .end(
        '{"error":{"message":"This model\'s maximum context length is 10 tokens.","code":"context_length_exceeded"}}',
      );
    expect(await finished(id)).toMatchObject({ status: 'failed', error: { code: 'context_length_exceeded' } });
  });

  it('go on with `stream: true` when the client leaves', async () => {
    const stream = await openai.responses.create({ model: 'held', input: 'x', background: true, stream: true });
    let id = '';
    for await (const event of stream) {
      if (event.type === 'response.created') ({ id } = event.response);
      if (event.type === 'response.output_text.delta') break;
    }
    stream.controller.abort();
    const upstream = await held.next();
    expect((await openai.responses.retrieve(id)).status).toBe('in_progress');
    upstream.write(`data: ${JSON.stringify(chunkOf({ content: 'lo' }, 'stop'))}\n\n`);
    upstream.end('data: [DONE]\n\n');
    const done = await finished(id);
    expect([done.status, done.output_text]).toEqual(['completed', 'Hello']);
  });

  it('are streamed again from any event to a client that comes back, while they are made and when they are finished', async () => {
    type Event = OpenAI.Responses.ResponseStreamEvent;
    const stream = await openai.responses.create({ model: 'held', input: 'x', background: true, stream: true });
    const all: Event[] = [];
    const read = async (events: AsyncIterable<Event>, into: Event[]): Promise<void> => {
      for await (const event of events) into.push(event);
    };
    const reading = read(stream, all);
    const upstream = await held.next();
    await until(() => all.some(({ type }) => type === 'response.output_text.delta'));
    const [created] = all;
    const id = created?.type === 'response.created' ? created.response.id : '';
    const resumed: Event[] = [];
    const fromStart = read(await openai.responses.retrieve(id, { stream: true }), resumed);
    await until(() => resumed.some(({ type }) => type === 'response.output_text.delta'));
    upstream.write(`data: ${JSON.stringify(chunkOf({ content: 'lo' }, 'stop'))}\n\n`);
    upstream.end('data: [DONE]\n\n');
    await Promise.all([reading, fromStart]);
    expect(all.at(-1)).toMatchObject({ type: 'response.completed', response: { id, status: 'completed' } });
    const numbers = (events: readonly Event[]): number[] => events.map(({ sequence_number: number }) => number);
    expect(resumed.slice(0, -1)).toEqual(all.slice(0, -1));
    expect(resumed.at(-1)).toMatchObject({ type: 'response.completed', response: { id, status: 'completed' } });
    expect(numbers(resumed)).toEqual(numbers(all));
    for (const last of [0, 3, all.length - 2, all.length - 1]) {
      const rest: Event[] = [];
      await read(await openai.responses.retrieve(id, { stream: true, starting_after: last }), rest);
      const expected = numbers(all).filter((number) => number > last);
      expect(numbers(rest)).toEqual(expected.length === 0 ? [last + 1] : expected);
      expect(rest.at(-1)?.type).toBe('response.completed');
    }
    await expect(other.responses.retrieve(id, { stream: true })).rejects.toBeInstanceOf(NotFoundError);
    await openai.responses.delete(id);
    await expect(openai.responses.retrieve(id, { stream: true })).rejects.toBeInstanceOf(NotFoundError);
  });

  it('are streamed to their failure or cancellation, and whole where they were not streamed before', async () => {
    const lastOf = async (id: string): Promise<OpenAI.Responses.ResponseStreamEvent | undefined> => {
      let last: OpenAI.Responses.ResponseStreamEvent | undefined;
      for await (const event of await openai.responses.retrieve(id, { stream: true })) last = event;
      return last;
    };
    const { id } = await openai.responses.create({ model: 'held', input: 'Wait.', background: true });
    const waiting = lastOf(id);
    await held.next();
    await openai.responses.cancel(id);
    expect(await waiting).toMatchObject({ type: 'response.failed', response: { id, status: 'cancelled' } });
    const queued = await openai.responses.create({ model: 'held', input: 'Say hello.', background: true });
    release(await held.next(), 'Hello');
    expect(await lastOf(queued.id)).toMatchObject({ type: 'response.completed', sequence_number: 0 });
    const plain = await openai.responses.create({ model: 'sandbox/echo', input: 'x' });
    await expect(openai.responses.retrieve(plain.id, { stream: true })).rejects.toMatchObject({
      status: 400,
      param: 'stream',
    });
  });

  it('are streamed by a provider that has the API under the gateway’s id', async () => {
    native.respondWith(() => ({ frames: framesOf(RECORDINGS.text) }));
    const stream = await openai.responses.create({ model: 'native', input: 'x', background: true, stream: true });
    const ids = new Set<string>();
    for await (const event of stream) if ('response' in event) ids.add(event.response.id);
    const [id = ''] = ids;
    expect(ids.size).toBe(1);
    expect((await openai.responses.retrieve(id)).status).toBe('completed');
  });

  it('whose process is gone are failed', async () => {
    const { id } = await openai.responses.create({ model: 'held', input: 'x', background: true });
    const upstream = await held.next();
    await changeDatabase(
      gateway.databaseUrl,
      `UPDATE stored_response SET heartbeat_at = 1 WHERE response_id = '${id}'`,
    );
    // The next heartbeat of this process may come first, as for a process that was only slow.
    const read = await openai.responses.retrieve(id);
    expect(['failed', 'in_progress']).toContain(read.status);
    if (read.status === 'failed') expect(read.error).toMatchObject({ code: 'server_error' });
    release(upstream, 'Late');
    // What is finished first stays.
    expect((await finished(id)).status).toBe(read.status === 'failed' ? 'failed' : 'completed');
  });

  it('are refused at once where they cannot be made', async () => {
    const create = (body: object) =>
      openai.responses.create({ model: 'held', input: 'x', background: true, ...body } as never);
    await expect(create({ store: false })).rejects.toMatchObject({ status: 400, param: 'store' });
    await expect(create({ background: 'yes' })).rejects.toMatchObject({ status: 400, param: 'background' });
    await expect(create({ model: 'unknown' })).rejects.toMatchObject({ status: 404 });
  });

  describe('POST /v1/responses/input_tokens', () => {
    it('counts on any model, also what the input goes on from', async () => {
      const first = await openai.responses.create({ model: 'sandbox/echo', input: 'Many words. '.repeat(50) });
      const count = async (body: OpenAI.Responses.InputTokenCountParams): Promise<number> => {
        const { object, input_tokens: tokens } = await openai.responses.inputTokens.count(body);
        expect(object).toBe('response.input_tokens');
        return tokens;
      };
      const short = await count({ model: 'sandbox/echo', input: 'Hello' });
      expect(short).toBeGreaterThan(0);
      expect(
        await count({ model: 'sandbox/echo', input: 'Hello', instructions: 'Be brief. '.repeat(20) }),
      ).toBeGreaterThan(short);
      expect(await count({ model: 'sandbox/echo', input: 'Hello', previous_response_id: first.id })).toBeGreaterThan(
        short + 100,
      );
      expect(await count({ model: 'sandbox/echo' })).toBeLessThanOrEqual(short);
      await expect(count({ model: 'unknown', input: 'x' })).rejects.toMatchObject({ status: 404 });
      await expect(count({ input: 'x' })).rejects.toMatchObject({ status: 400, param: 'model' });
    });

    it('is counted by a provider that has the API, which gets what it takes', async () => {
      native.respondWith(() => ({ body: { object: 'response.input_tokens', input_tokens: 1234 } }));
      const counted = await openai.responses.inputTokens.count({
        model: 'native',
        input: 'Hi',
        temperature: 1,
      } as object);
      expect(counted.input_tokens).toBe(1234);
      expect(native.received).toMatchObject([
        { path: '/v1/responses/input_tokens', body: { model: 'gpt-5', input: 'Hi' } },
      ]);
      expect(native.received[0]?.body).not.toHaveProperty('temperature');
    });

    it('is estimated where the provider does not count', async () => {
      native.respondWith(() => ({ status: 404, body: { error: { message: 'Not Found' } } }));
      const counted = await openai.responses.inputTokens.count({ model: 'native', input: 'Hi' });
      expect(counted.input_tokens).toBeGreaterThan(0);
    });
  });
});
