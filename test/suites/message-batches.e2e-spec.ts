import Anthropic, { APIError, BadRequestError, NotFoundError } from '@anthropic-ai/sdk';
import type { MessageBatch, MessageBatchIndividualResponse } from '@anthropic-ai/sdk/resources/messages/batches';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

type Params = Anthropic.Messages.BatchCreateParams.Request['params'];

const paramsOf = (fields: Partial<Params> = {}): Params => ({
  model: 'sandbox/echo',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'one two three' }],
  ...fields,
});

describe(`message batches (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let client: GatewayClient;
  let other: GatewayClient;
  let anthropic: Anthropic;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        sandbox: true,
        providers: { fake: openAiAt(upstream) },
        // A deployment of its own, whose limit does not hold for other models.
        models: [model('limited', 'sandbox/cut', { limits: { rpm: 1 } })],
      },
    });
    [client, other] = [await gateway.newClient(), await gateway.newClient()];
    anthropic = sdkOf(client);
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  function sdkOf({ key }: GatewayClient): Anthropic {
    return new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 });
  }
  async function ended(id: string): Promise<MessageBatch> {
    let batch = await anthropic.messages.batches.retrieve(id);
    await until(async () => {
      batch = await anthropic.messages.batches.retrieve(id);
      return batch.processing_status === 'ended';
    });
    return batch;
  }
  async function resultsOf(id: string): Promise<Map<string, MessageBatchIndividualResponse['result']>> {
    const results = new Map<string, MessageBatchIndividualResponse['result']>();
    for await (const { custom_id: name, result } of await anthropic.messages.batches.results(id))
      results.set(name, result);
    return results;
  }
  async function faultOf(work: Promise<unknown>): Promise<APIError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof APIError) return error;
    throw new Error(`expected an error of the API, not ${String(error)}`);
  }

  it('live a whole life by the official client, with messages of several models and one that fails', async () => {
    const requests = [
      { custom_id: 'echo', params: paramsOf() },
      { custom_id: 'lorem', params: paramsOf({ model: 'sandbox/lorem', system: 'Be brief.' }) },
      { custom_id: 'fails', params: paramsOf({ model: 'fake/status-400' }) },
    ];
    const created = await anthropic.messages.batches.create({ requests });
    expect(created).toMatchObject({
      type: 'message_batch',
      ended_at: null,
      results_url: null,
      cancel_initiated_at: null,
    });
    expect(created.id).toMatch(/^msgbatch_[\da-f]{24}$/);
    expect(Date.parse(created.expires_at) - Date.parse(created.created_at)).toBe(86_400_000);

    const batch = await ended(created.id);
    expect(batch).toMatchObject({
      request_counts: { processing: 0, succeeded: 2, errored: 1, canceled: 0, expired: 0 },
      results_url: `${gateway.url}/v1/messages/batches/${created.id}/results`,
    });
    expect(Date.parse(batch.ended_at ?? '')).toBeGreaterThanOrEqual(Date.parse(batch.created_at));

    const results = await resultsOf(created.id);
    expect([...results.keys()].sort()).toEqual(['echo', 'fails', 'lorem']);
    for (const name of ['echo', 'lorem']) {
      const { params } = requests.find(({ custom_id: id }) => id === name)!;
      const { id: _id, ...live } = await anthropic.messages.create(params);
      const result = results.get(name);
      expect(result).toMatchObject({ type: 'succeeded', message: { content: live.content, usage: live.usage } });
    }
    expect(results.get('fails')).toMatchObject({
      type: 'errored',
      error: { type: 'error', error: { type: 'invalid_request_error' } },
    });

    expect(await anthropic.messages.batches.delete(created.id)).toEqual({
      id: created.id,
      type: 'message_batch_deleted',
    });
    expect(await faultOf(anthropic.messages.batches.retrieve(created.id))).toBeInstanceOf(NotFoundError);
    expect((await client.get(`/v1/batch/${created.id}`)).status).toBe(404);
  });

  it('are cancelled, and neither deleted nor read before they have ended', async () => {
    // The one request of this minute.
    await client.chat({ model: 'limited' });
    const requests = Array.from({ length: 5 }, (_, index) => ({
      custom_id: `r${index}`,
      // Requests of the limited model wait.
      params: paramsOf({ model: index === 0 ? 'sandbox/echo' : 'limited' }),
    }));
    const { id } = await anthropic.messages.batches.create({ requests });
    await until(async () => (await anthropic.messages.batches.retrieve(id)).request_counts.succeeded === 1);
    expect(await anthropic.messages.batches.retrieve(id)).toMatchObject({
      processing_status: 'in_progress',
      request_counts: { processing: 4, succeeded: 1 },
    });
    for (const early of [anthropic.messages.batches.delete(id), anthropic.get(`/v1/messages/batches/${id}/results`)]) {
      const fault = await faultOf(early);
      expect(fault).toBeInstanceOf(BadRequestError);
      expect(fault.message).toContain('has not ended');
    }
    const cancelled = await anthropic.messages.batches.cancel(id);
    expect(cancelled.cancel_initiated_at).not.toBeNull();
    expect((await ended(id)).request_counts).toEqual({
      processing: 0,
      succeeded: 1,
      errored: 0,
      canceled: 4,
      expired: 0,
    });
    const types = [...(await resultsOf(id)).values()].map(({ type }) => type);
    expect(types.sort()).toEqual(['canceled', 'canceled', 'canceled', 'canceled', 'succeeded']);
    const again = await anthropic.messages.batches.cancel(id);
    expect(again).toMatchObject({ processing_status: 'ended', cancel_initiated_at: cancelled.cancel_initiated_at });
  });

  it('are listed in pages of both directions, without those of others and of other APIs', async () => {
    const own = await gateway.newClient();
    const { batches } = sdkOf(own).messages;
    expect(await own.read('/v1/messages/batches')).toEqual({
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
    await own.submitBatch('sandbox/echo', ['x']);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      ids.unshift((await batches.create({ requests: [{ custom_id: 'a', params: paramsOf() }] })).id);
    }
    const byTime = (await batches.list({ limit: 1000 })).data.map(({ id }) => id);
    expect([...byTime].sort()).toEqual([...ids].sort());
    const collected: string[] = [];
    for await (const { id } of batches.list({ limit: 2 })) collected.push(id);
    expect(collected).toEqual(byTime);

    const [first, second, third, fourth, fifth] = byTime as [string, string, string, string, string];
    const page = async (query: object): Promise<unknown> => {
      const { data, has_more, first_id, last_id } = await batches.list(query);
      return { ids: data.map(({ id }) => id), has_more, first_id, last_id };
    };
    expect(await page({ limit: 2, after_id: second })).toEqual({
      ids: [third, fourth],
      has_more: true,
      first_id: third,
      last_id: fourth,
    });
    expect(await page({ limit: 2, before_id: fourth })).toMatchObject({ ids: [second, third], has_more: true });
    expect(await page({ limit: 3, before_id: fourth })).toMatchObject({ ids: [first, second, third], has_more: false });
    expect(await page({ after_id: fifth })).toMatchObject({ ids: [], has_more: false });
    await until(async () => (await batches.retrieve(second)).processing_status === 'ended');
    await batches.delete(second);
    expect(await page({ limit: 2, after_id: second })).toMatchObject({ ids: [third, fourth] });
    expect(await page({ before_id: second })).toMatchObject({ ids: [first], has_more: false });
    expect(await faultOf(batches.list({ after_id: 'msgbatch_x' }).then())).toBeInstanceOf(BadRequestError);
    expect(await faultOf(batches.list({ after_id: first, before_id: fifth }).then())).toBeInstanceOf(BadRequestError);
    expect(await own.read<{ data: unknown[] }>('/v1/messages/batches?beta=true&limit=1')).toMatchObject({
      has_more: true,
    });
  });

  it('belong to their key and to their API', async () => {
    const { id } = await anthropic.messages.batches.create({ requests: [{ custom_id: 'a', params: paramsOf() }] });
    const job = await client.submitBatch('sandbox/echo', ['x']);
    await ended(id);
    const unknown = 'msgbatch_000000000000000000000000';
    for (const [owner, asked] of [
      [other, id],
      [client, unknown],
      [client, job],
    ] as const) {
      const { batches } = sdkOf(owner).messages;
      for (const attempt of [
        batches.retrieve(asked),
        batches.results(asked),
        batches.cancel(asked),
        batches.delete(asked),
      ]) {
        const fault = await faultOf(attempt);
        expect(fault).toBeInstanceOf(NotFoundError);
        expect(fault.error).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
        expect(fault.requestID).toMatch(/^req_/);
      }
    }
    expect((await anthropic.messages.batches.retrieve(id)).processing_status).toBe('ended');
  });

  it.each<[body: unknown, path: string]>([
    [{}, 'requests'],
    [{ requests: 'x' }, 'requests'],
    [{ requests: [] }, 'requests'],
    [{ requests: [], more: 1 }, 'more'],
    [{ requests: ['x'] }, 'requests[0]'],
    [{ requests: [{ params: paramsOf() }] }, 'requests[0].custom_id'],
    [{ requests: [{ custom_id: '', params: paramsOf() }] }, 'requests[0].custom_id'],
    [{ requests: [{ custom_id: 'a' }] }, 'requests[0].params'],
    [{ requests: [{ custom_id: 'a', params: 'x' }] }, 'requests[0].params'],
    [{ requests: [{ custom_id: 'a', params: paramsOf(), system: 'x' }] }, 'requests[0].system'],
    [{ requests: [{ custom_id: 'a', params: { ...paramsOf(), model: undefined } }] }, 'requests[0].params.model'],
    [{ requests: [{ custom_id: 'a', params: { ...paramsOf(), stream: true } }] }, 'requests[0].params.stream'],
    [
      { requests: [{ custom_id: 'a', params: { ...paramsOf(), messages: [{ role: 'x' }] } }] },
      'requests[0].params.messages[0]',
    ],
    [
      {
        requests: [
          { custom_id: 'a', params: paramsOf() },
          { custom_id: 'a', params: paramsOf() },
        ],
      },
      'requests[1].custom_id',
    ],
    [{ requests: [{ custom_id: 'a', params: paramsOf({ model: 'no/such' }) }] }, 'no/such'],
  ])('%j is refused at %s, in the form of the API', async (body, path) => {
    const before = await client.read<{ data: unknown[] }>('/v1/messages/batches?limit=1000');
    const { status, body: error } = await client.post('/v1/messages/batches', body as object);
    expect([400, 404]).toContain(status);
    expect(error).toMatchObject({
      type: 'error',
      error: { type: expect.any(String) as unknown, message: expect.any(String) as unknown },
    });
    expect(JSON.stringify(error)).toContain(path);
    expect(await client.read('/v1/messages/batches?limit=1000')).toEqual(before);
  });

  it('have an id of the request in the header of Anthropic, and one result for one idempotency key', async () => {
    const body = { requests: [{ custom_id: 'a', params: paramsOf() }] };
    const headers = { 'idempotency-key': 'once' };
    const first = await client.post<{ id: string }>('/v1/messages/batches', body, { headers });
    const second = await client.post<{ id: string }>('/v1/messages/batches', body, { headers });
    expect(second.body.id).toBe(first.body.id);
    expect(first.header('request-id')).toBe(first.header('x-request-id'));
    const changed = await client.post(
      '/v1/messages/batches',
      { requests: [{ custom_id: 'b', params: paramsOf() }] },
      { headers },
    );
    expect(changed.status).toBe(409);
  });

  it('name the origin that the client used, and never what is no host', async () => {
    const { id } = await anthropic.messages.batches.create({ requests: [{ custom_id: 'a', params: paramsOf() }] });
    await ended(id);
    const path = `/v1/messages/batches/${id}`;
    const urlBy = async (headers: Record<string, string>): Promise<unknown> =>
      (await client.get<{ results_url: string }>(path, { headers })).body.results_url;
    expect(await urlBy({ host: 'llm.example.com', 'x-forwarded-proto': 'https' })).toBe(
      `https://llm.example.com${path}/results`,
    );
    expect(await urlBy({ host: 'a"b' })).toBe(`${path}/results`);
  });
});
