import { randomBytes } from 'node:crypto';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { UsageRowListDto } from '../../src/usage/report/usage-row.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price, UNREACHABLE, type GatewayFile } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';
import { Wire } from '../fixtures/wire.js';

const PRICE = { price: price(3, 15) };

function configOf(upstream: FakeUpstream): GatewayFile {
  return {
    providers: { local: openAiAt(upstream), refused: UNREACHABLE },
    models: [
      model('paid', 'local/echo', PRICE),
      model('bare', 'local/echo?usage=none&without=usage', PRICE),
      model('words', 'local/words?count=100&delay=20', PRICE),
      model('cut', 'local/reset?at=mid', PRICE),
      model('down', 'refused/x', { fallbacks: ['paid'] }),
      model('dead', 'refused/x'),
      model('unpriced', 'local/echo'),
    ],
  };
}

const idOf = (response: GatewayResponse<object>): string => response.header('x-request-id');

describe('usage records', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({ config: configOf(upstream) });
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  /** The record of a request, once it is there. */
  const recordOf = (requestId: string): Promise<UsageRecordDto> =>
    gateway.admin.usageRecord(({ request_id: id }) => id === requestId, `key_id=${client.keyId}`);

  it('keeps what the provider reported, its price, and what the request said of itself', async () => {
    const response = await client.chat({ model: 'paid', user: 'ada', metadata: { ticket: 'T-1' } });
    const usage = response.body.usage!;
    const record = await recordOf(idOf(response));
    expect(record).toMatchObject({
      operation: 'chat',
      images: null,
      audio_seconds: null,
      characters: null,
      search_units: null,
      source: 'live',
      model: 'paid',
      provider: 'local',
      status: 'succeeded',
      http_status: 200,
      attempts: 1,
      stream: false,
      estimated: false,
      user: 'ada',
      metadata: { ticket: 'T-1' },
      prompt_tokens: usage.prompt_tokens,
      completion_tokens: usage.completion_tokens,
    });
    expect(record.cost_usd).toBe(Number(response.header('x-gateway-cost')));
    expect(record.cost_usd).toBeCloseTo((usage.prompt_tokens * 3 + usage.completion_tokens * 15) / 1e6, 9);
    expect(record.first_byte_ms).not.toBeNull();
  });

  it('takes from a client what no database takes as text', async () => {
    const response = await client.chat({ model: 'paid', user: 'a\0b\ud800', metadata: { note: '\0\udc00' } });
    expect(await recordOf(idOf(response))).toMatchObject({ user: 'a\ufffdb\ufffd', metadata: { note: '\0\udc00' } });
  });

  it('counts a stream whose client did not ask for usage, and names the model that answered after a fallback', async () => {
    const response = await client.chat({ model: 'down', stream: true });
    expect(await recordOf(idOf(response))).toMatchObject({
      model: 'paid',
      attempts: 2,
      stream: true,
      status: 'succeeded',
      prompt_tokens: 3,
      completion_tokens: 3,
      cost_usd: 0.000054,
    });
  });

  it('estimates where the provider reports nothing, and says so', async () => {
    for (const stream of [false, true]) {
      const response = await client.chat({ model: 'bare', stream });
      const record = await recordOf(idOf(response));
      expect(record).toMatchObject({ estimated: true, completion_tokens: 3, status: 'succeeded' });
      expect(record.prompt_tokens).toBeGreaterThanOrEqual(3);
      expect(record.cost_usd).toBeGreaterThan(0);
    }
  });

  it('records what was consumed before a client went away or a stream broke', async () => {
    const controller = new AbortController();
    const response = await client.openChat({ model: 'words' }, { signal: controller.signal });
    let seen = 0;
    await expect(
      (async () => {
        for await (const piece of response.pieces) {
          seen += piece.split('data: ').length - 1;
          if (seen >= 20) controller.abort();
        }
      })(),
    ).rejects.toThrow();
    const abandoned = await recordOf(response.headers.get('x-request-id') ?? '');
    expect(abandoned).toMatchObject({ status: 'abandoned', error_code: 'client_closed_request', estimated: true });
    expect(abandoned.completion_tokens).toBeGreaterThanOrEqual(10);
    // The provider may have generated more than had come, so the request's worst case is charged.
    expect(abandoned).toMatchObject({ cost_basis: 'worst_case' });
    const broken = await client.chat({ model: 'cut', stream: true });
    await recordOf(idOf(broken));
    // The only deployment is asked once more to go on with its stream, and breaks again.
    const both = (await gateway.admin.usageRecords()).filter(({ request_id: id }) => id === idOf(broken));
    expect(both).toHaveLength(2);
    expect(both).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ status: 'retried', http_status: 502, estimated: true, cost_basis: 'estimated' }),
        expect.objectContaining({ status: 'failed', http_status: 200, estimated: true, cost_basis: 'worst_case' }),
      ]),
    );
  });

  it('records a failure with nothing consumed, an unknown price as null, and no refusal of its own', async () => {
    const dead = await client.chat({ model: 'dead' });
    expect(await recordOf(idOf(dead))).toMatchObject({
      status: 'failed',
      http_status: 502,
      error_code: 'upstream_error',
      total_tokens: 0,
      cost_usd: 0,
    });
    expect(await recordOf(idOf(await client.chat({ model: 'unpriced' })))).toMatchObject({
      cost_usd: null,
      total_tokens: 6,
    });
    const unknown = await client.chat({ model: 'nowhere' });
    await recordOf(idOf(await client.chat({ model: 'paid' })));
    expect((await gateway.admin.usageRecords()).some(({ request_id: id }) => id === idOf(unknown))).toBe(false);
  });

  it('has a record for every call of a batch, and sums that agree with the records to the billionth', async () => {
    const tasks = Array.from({ length: 40 }, (_, index) => ({
      messages: [{ role: 'user', content: 'word '.repeat(index + 1).trimEnd() }],
    }));
    await client.submitBatch('paid', tasks);
    let records: UsageRecordDto[] = [];
    await until(async () => {
      records = await gateway.admin.pages(`/v1/admin/usage/records?key_id=${client.keyId}&limit=30`);
      return records.filter(({ source }) => source === 'batch').length === 40;
    });
    const seen = (await upstream.requests()).filter(({ model }) => model === 'echo');
    const reported = records.filter(
      ({ provider, estimated, model }) => provider === 'local' && !estimated && ['paid', 'unpriced'].includes(model),
    );
    expect(reported).toHaveLength(seen.length);
    // The fake counts words; what it was asked is its own log of tokens.
    const words = seen.reduce(
      (sum, { body }) =>
        sum +
        JSON.stringify(body?.['messages'])
          .split(/\s+|"content":"/)
          .filter((each) => /^[a-z]+/.test(each)).length,
      0,
    );
    const prompts = reported.reduce((sum, { prompt_tokens: tokens }) => sum + tokens, 0);
    expect(prompts).toBe(words);
    const data = await gateway.admin.usage(`interval=none&key_id=${client.keyId}`);
    const nanos = records.reduce((sum, { cost_usd: cost }) => sum + Math.round((cost ?? 0) * 1e9), 0);
    expect(data).toHaveLength(1);
    expect(Math.round((data[0]?.cost_usd ?? 0) * 1e9)).toBe(nanos);
    expect(data[0]).toMatchObject({
      requests: records.filter(({ status }) => status !== 'retried').length,
      failed_requests: records.filter(({ status }) => status === 'failed').length,
      total_tokens: records.reduce((sum, { total_tokens: tokens }) => sum + tokens, 0),
      unpriced_requests: records.filter(({ cost_usd: cost }) => cost === null).length,
    });
  });

  it('sums by hour and day, by key, model, provider and user, as JSON and as CSV', async () => {
    await client.chat({ model: 'paid', user: '=cmd()' });
    await until(async () => (await gateway.admin.usage('group_by=user')).some(({ group }) => group === '=cmd()'));
    for (const groupBy of ['key', 'group', 'operation', 'model', 'provider', 'user', 'none']) {
      for (const interval of ['hour', 'day', 'none']) {
        const data = await gateway.admin.usage(`group_by=${groupBy}&interval=${interval}&limit=100`);
        const [all] = await gateway.admin.usage('interval=none');
        expect(data.reduce((sum, row) => sum + row.requests, 0)).toBe(all?.requests);
        if (interval === 'day') expect(data.every(({ bucket }) => bucket % 86_400 === 0)).toBe(true);
      }
    }
    // Sums by key without a filter are read key by key; all of these requests are chats.
    const byKey = 'interval=none&group_by=key&limit=100&start=0&end=4102444800';
    expect(await gateway.admin.usage(byKey)).toEqual(await gateway.admin.usage(`${byKey}&operation=chat`));
    const total = (await gateway.admin.usage('interval=none'))[0]?.requests;
    const ofChat = await gateway.admin.usage('interval=none&operation=chat&group_by=operation');
    expect(ofChat).toMatchObject([{ group: 'chat', requests: total, images: 0, search_units: 0 }]);
    expect(await gateway.admin.usage('interval=none&operation=embeddings')).toEqual([]);
    expect(await gateway.admin.usageRecords('operation=embeddings')).toEqual([]);
    for (const [query, param] of [
      ['operation=dance', 'operation'],
      ['group_by=colour', 'group_by'],
      ['start=20&end=10', 'start'],
      ['limit=1001', 'limit'],
    ]) {
      expect((await gateway.admin.get(`/v1/admin/usage?${query}`)).body.error?.param).toBe(param);
    }
    const headers = { accept: 'text/csv' };
    const { text: csv } = await gateway.admin.get('/v1/admin/usage?group_by=user&interval=none', { headers });
    expect(csv.split('\r\n')[0]).toBe(
      'bucket,date,group,group_name,requests,failed_requests,prompt_tokens,completion_tokens,total_tokens,cost_usd,unpriced_requests,estimated_requests,images,audio_seconds,characters,search_units,cached_tokens,cache_write_tokens,web_searches',
    );
    expect(csv).toContain(`'=cmd()`);
  });

  it('notes who did what', async () => {
    const { id } = await gateway.admin.createKey();
    await gateway.admin.revokeKey(id);
    expect((await gateway.admin.audit(`target_id=${id}`)).map(({ action, actor }) => [action, actor])).toEqual([
      ['key.revoked', 'admin'],
      ['key.created', 'admin'],
    ]);
  });
});

it('keeps every record that a report has shown through a SIGKILL, and every record through a SIGTERM', async () => {
  const upstream = await startFakeUpstream();
  const env = { GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
  let gateway = await startGateway({ config: configOf(upstream), env });
  const first = gateway;
  const { dataDirectory } = gateway;
  const key = await gateway.apiKey();
  const again = async (): Promise<void> => {
    gateway = await startGateway({ config: configOf(upstream), dataDirectory, env, joins: first });
  };
  const count = async (): Promise<number> => (await gateway.admin.usage('interval=none'))[0]?.requests ?? 0;
  const responses = { count: 0 };
  /** Calls until the process is gone. @param kill is called beside them */
  const load = async (kill: () => Promise<void>): Promise<void> => {
    let isOver = false;
    const client = gateway.client(key);
    const killing = kill();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) {
          try {
            if ((await client.chat({ model: 'paid' })).status === 200) responses.count += 1;
          } catch {
            isOver = true;
          }
        }
      }),
    );
    await killing;
  };
  /** What the report shows of the calls that were answered before it was asked. */
  let shown = 0;
  await load(async () => {
    await until(() => responses.count >= 100);
    const before = responses.count;
    await until(async () => (shown = await count()) >= before);
    process.kill(gateway.pid, 'SIGKILL');
  });
  await again();
  const kept = await count();
  console.info(`SIGKILL after ${responses.count} answers: ${kept} records kept, ${responses.count - kept} lost`);
  expect(kept).toBeGreaterThanOrEqual(shown);
  responses.count = 0;
  await load(async () => {
    await until(() => responses.count >= 50);
    process.kill(gateway.pid, 'SIGTERM');
  });
  await until(() => gateway.logs().includes('"stopped"'));
  await again();
  expect(await count()).toBeGreaterThanOrEqual(kept + responses.count);
  await gateway.stop();
  await upstream.stop();
});

(isPostgresRun ? it : it.skip)('waits with its records while the database is away', async () => {
  const databaseUrl = await createDatabase();
  const wire = new Wire(new URL(databaseUrl));
  const upstream = await startFakeUpstream();
  const gateway = await startGateway({ config: configOf(upstream), env: { DATABASE_URL: await wire.open() } });
  const client = await gateway.newClient();
  const ask = async (): Promise<number> => (await client.chat({ model: 'paid' })).status;
  try {
    expect(await ask()).toBe(200);
    wire.cut();
    for (let round = 0; round < 20; round += 1) expect(await ask()).toBe(200);
    await until(() => gateway.logs().includes('usage records wait for the database'));
    await wire.open();
    await until(async () => {
      const { status, body } = await gateway.admin.get<UsageRowListDto>('/v1/admin/usage?interval=none');
      return status === 200 && body.data[0]?.requests === 21;
    });
  } finally {
    await gateway.stop();
    await upstream.stop();
    wire.cut();
    await dropDatabase(databaseUrl);
  }
});
