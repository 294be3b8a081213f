import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';
import { Wire } from '../fixtures/wire.js';

interface UsageRecord {
  request_id: string;
  source: string;
  model: string;
  provider: string;
  status: string;
  http_status: number;
  error_code: string | null;
  attempts: number;
  stream: boolean;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  estimated: boolean;
  cost_usd: number | null;
  first_byte_ms: number | null;
  user: string | null;
  metadata: object | null;
}

interface Sum {
  bucket: number;
  group: string | null;
  requests: number;
  failed_requests: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cost_usd: number;
  unpriced_requests: number;
  estimated_requests: number;
}

interface List<Item> {
  data: Item[];
  has_more: boolean;
  next: string | null;
}

let dispatcher: Agent;
beforeAll(() => {
  dispatcher = new Agent({ connections: 100 });
});
afterAll(() => dispatcher.close());

function configOf(upstream: FakeUpstream): string {
  return `providers:
  local: { type: openai, base_url: "${upstream.url}/v1" }
  refused: { type: openai, base_url: "http://127.0.0.1:9/v1" }
models:
  - { id: paid, deployments: [{ provider: local, model: echo }], price: { input_per_million: 3, output_per_million: 15 } }
  - { id: bare, deployments: [{ provider: local, model: "echo?usage=none&without=usage" }], price: { input_per_million: 3, output_per_million: 15 } }
  - { id: words, deployments: [{ provider: local, model: "words?count=100&delay=20" }], price: { input_per_million: 3, output_per_million: 15 } }
  - { id: cut, deployments: [{ provider: local, model: "reset?at=mid" }], price: { input_per_million: 3, output_per_million: 15 } }
  - { id: down, deployments: [{ provider: refused, model: x }], fallbacks: [paid] }
  - { id: dead, deployments: [{ provider: refused, model: x }] }
  - { id: unpriced, deployments: [{ provider: local, model: echo }] }
`;
}

describe('usage records', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let key: string;
  let keyId: string;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({ config: configOf(upstream) });
    key = await gateway.apiKey();
    keyId = `key_${key.split('_')[1] ?? ''}`;
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  async function ask(
    fields: object,
    signal?: AbortSignal,
  ): Promise<{ status: number; text: string; cost: string; id: string }> {
    const answer = await request(`${gateway.url}/v1/chat/completions`, {
      dispatcher,
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'one two three' }], ...fields }),
      signal,
    });
    return {
      status: answer.statusCode,
      text: await answer.body.text(),
      cost: String(answer.headers['x-gateway-cost'] ?? ''),
      id: String(answer.headers['x-request-id']),
    };
  }

  async function read<Body>(path: string, accept = 'application/json'): Promise<Body> {
    const response = await fetch(`${gateway.url}/v1/admin/usage${path}`, {
      headers: { 'x-api-key': gateway.adminKey, accept },
    });
    return (accept === 'text/csv' ? response.text() : response.json()) as Promise<Body>;
  }

  /** The only record with this model, once it is there. */
  async function recordOf(model: string): Promise<UsageRecord> {
    let found: UsageRecord | undefined;
    await until(async () => {
      const { data } = await read<List<UsageRecord>>(`/records?key_id=${keyId}&limit=100`);
      found = data.find((record) => record.model === model || record.request_id === model);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('no record');
    return found;
  }

  it('keeps what the provider reported, its price, and what the request said of itself', async () => {
    const answer = await ask({ model: 'paid', user: 'ada', metadata: { ticket: 'T-1' } });
    const { usage } = JSON.parse(answer.text) as { usage: { prompt_tokens: number; completion_tokens: number } };
    const record = await recordOf(answer.id);
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
    expect(record.cost_usd).toBe(Number(answer.cost));
    expect(record.cost_usd).toBeCloseTo((usage.prompt_tokens * 3 + usage.completion_tokens * 15) / 1e6, 9);
    expect(record.first_byte_ms).not.toBeNull();
  });

  it('takes from a client what no database takes as text', async () => {
    const { id } = await ask({ model: 'paid', user: 'a\0b\ud800', metadata: { note: '\0\udc00' } });
    expect(await recordOf(id)).toMatchObject({ user: 'a\ufffdb\ufffd', metadata: { note: '\0\udc00' } });
  });

  it('counts a stream whose client did not ask for usage, and names the model that answered after a fallback', async () => {
    const { id } = await ask({ model: 'down', stream: true });
    expect(await recordOf(id)).toMatchObject({
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
      const { id } = await ask({ model: 'bare', stream });
      const record = await recordOf(id);
      expect(record).toMatchObject({ estimated: true, completion_tokens: 3, status: 'succeeded' });
      expect(record.prompt_tokens).toBeGreaterThanOrEqual(3);
      expect(record.cost_usd).toBeGreaterThan(0);
    }
  });

  it('records what was consumed before a client went away or a stream broke', async () => {
    const controller = new AbortController();
    const answer = await request(`${gateway.url}/v1/chat/completions`, {
      dispatcher,
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'words', stream: true, messages: [{ role: 'user', content: 'one two three' }] }),
      signal: controller.signal,
    });
    let seen = 0;
    await expect(
      (async () => {
        for await (const piece of answer.body as AsyncIterable<Buffer>) {
          seen += piece.toString().split('data: ').length - 1;
          if (seen >= 20) controller.abort();
        }
      })(),
    ).rejects.toThrow();
    const abandoned = await recordOf(String(answer.headers['x-request-id']));
    expect(abandoned).toMatchObject({ status: 'abandoned', error_code: 'client_closed_request', estimated: true });
    expect(abandoned.completion_tokens).toBeGreaterThanOrEqual(10);
    // The provider may have generated more than had come, so the request's worst case is charged.
    expect(abandoned).toMatchObject({ cost_basis: 'worst_case' });
    const broken = await ask({ model: 'cut', stream: true });
    expect(await recordOf(broken.id)).toMatchObject({
      status: 'failed',
      http_status: 200,
      estimated: true,
      cost_basis: 'worst_case',
    });
  });

  it('records a failure with nothing consumed, an unknown price as null, and no refusal of its own', async () => {
    const dead = await ask({ model: 'dead' });
    expect(await recordOf(dead.id)).toMatchObject({
      status: 'failed',
      http_status: 502,
      error_code: 'upstream_error',
      total_tokens: 0,
      cost_usd: 0,
    });
    expect(await recordOf((await ask({ model: 'unpriced' })).id)).toMatchObject({ cost_usd: null, total_tokens: 6 });
    const unknown = await ask({ model: 'nowhere' });
    await recordOf((await ask({ model: 'paid' })).id);
    const { data } = await read<List<UsageRecord>>('/records?limit=100');
    expect(data.some(({ request_id: id }) => id === unknown.id)).toBe(false);
  });

  it('has a record for every call of a batch, and sums that agree with the records to the billionth', async () => {
    const submitted = await fetch(`${gateway.url}/v1/batch/generate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'paid',
        tasks: Array.from({ length: 40 }, (_, index) => ({
          messages: [{ role: 'user', content: 'word '.repeat(index + 1).trimEnd() }],
        })),
      }),
    });
    expect(submitted.status).toBe(202);
    let records: UsageRecord[] = [];
    await until(async () => {
      records = [];
      let next: string | null = null;
      do {
        const page: List<UsageRecord> = await read(
          `/records?key_id=${keyId}&limit=30${next === null ? '' : `&after=${next}`}`,
        );
        records.push(...page.data);
        ({ next } = page);
      } while (next !== null);
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
    const { data } = await read<List<Sum>>(`?interval=none&key_id=${keyId}`);
    const nanos = records.reduce((sum, { cost_usd: cost }) => sum + Math.round((cost ?? 0) * 1e9), 0);
    expect(data).toHaveLength(1);
    expect(Math.round((data[0]?.cost_usd ?? 0) * 1e9)).toBe(nanos);
    expect(data[0]).toMatchObject({
      requests: records.length,
      failed_requests: records.filter(({ status }) => status === 'failed').length,
      total_tokens: records.reduce((sum, { total_tokens: tokens }) => sum + tokens, 0),
      unpriced_requests: records.filter(({ cost_usd: cost }) => cost === null).length,
    });
  });

  it('sums by hour and day, by key, model, provider and user, as JSON and as CSV', async () => {
    await ask({ model: 'paid', user: '=cmd()' });
    await until(async () => (await read<List<Sum>>('?group_by=user')).data.some(({ group }) => group === '=cmd()'));
    for (const groupBy of ['key', 'group', 'operation', 'model', 'provider', 'user', 'none']) {
      for (const interval of ['hour', 'day', 'none']) {
        const { data } = await read<List<Sum>>(`?group_by=${groupBy}&interval=${interval}&limit=100`);
        const all = await read<List<Sum>>('?interval=none');
        expect(data.reduce((sum, row) => sum + row.requests, 0)).toBe(all.data[0]?.requests);
        if (interval === 'day') expect(data.every(({ bucket }) => bucket % 86_400 === 0)).toBe(true);
      }
    }
    const total = (await read<List<Sum>>('?interval=none')).data[0]?.requests;
    const ofChat = await read<List<Sum>>('?interval=none&operation=chat&group_by=operation');
    expect(ofChat.data).toMatchObject([{ group: 'chat', requests: total, images: 0, search_units: 0 }]);
    expect((await read<List<Sum>>('?interval=none&operation=embeddings')).data).toEqual([]);
    expect((await read<List<UsageRecord>>('/records?operation=embeddings')).data).toEqual([]);
    expect((await read<{ error: { param: string } }>('?operation=dance')).error.param).toBe('operation');
    const csv = await read<string>('?group_by=user&interval=none', 'text/csv');
    expect(csv.split('\r\n')[0]).toBe(
      'bucket,date,group,group_name,requests,failed_requests,prompt_tokens,completion_tokens,total_tokens,cost_usd,unpriced_requests,estimated_requests,images,audio_seconds,characters,search_units',
    );
    expect(csv).toContain(`'=cmd()`);
    const wrong = await read<{ error: { param: string } }>('?group_by=colour');
    expect(wrong.error.param).toBe('group_by');
    expect((await read<{ error: { param: string } }>('?start=20&end=10')).error.param).toBe('start');
  });

  it('notes who did what', async () => {
    const made = await fetch(`${gateway.url}/v1/admin/keys`, {
      method: 'POST',
      headers: { 'x-api-key': gateway.adminKey, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'audited' }),
    });
    const { id } = (await made.json()) as { id: string };
    await fetch(`${gateway.url}/v1/admin/keys/${id}`, { method: 'DELETE', headers: { 'x-api-key': gateway.adminKey } });
    const list = await fetch(`${gateway.url}/v1/admin/audit?target_id=${id}`, {
      headers: { 'x-api-key': gateway.adminKey },
    });
    const { data } = (await list.json()) as List<{ action: string; actor: string; changes: object }>;
    expect(data.map(({ action, actor }) => [action, actor])).toEqual([
      ['key.revoked', 'admin'],
      ['key.created', 'admin'],
    ]);
  });
});

it('keeps every record that a report has shown through a SIGKILL, and every record through a SIGTERM', async () => {
  const upstream = await startFakeUpstream();
  const env = { GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
  let gateway = await startGateway({ config: configOf(upstream), env });
  const { dataDirectory, databaseUrl, adminKey } = gateway;
  const key = await gateway.apiKey();
  const again = async (): Promise<void> => {
    gateway = await startGateway({
      config: configOf(upstream),
      dataDirectory,
      env: { ...env, DATABASE_URL: databaseUrl, GATEWAY_ADMIN_KEY: adminKey },
    });
  };
  const count = async (): Promise<number> => {
    const response = await fetch(`${gateway.url}/v1/admin/usage?interval=none`, { headers: { 'x-api-key': adminKey } });
    return ((await response.json()) as List<Sum>).data[0]?.requests ?? 0;
  };
  const answers = { count: 0 };
  /** Calls until the process is gone. @param kill is called beside them */
  const load = async (kill: () => Promise<void>): Promise<void> => {
    let isOver = false;
    const killing = kill();
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) {
          try {
            const answer = await request(`${gateway.url}/v1/chat/completions`, {
              dispatcher,
              method: 'POST',
              headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
              body: JSON.stringify({ model: 'paid', messages: [{ role: 'user', content: 'x' }] }),
            });
            await answer.body.dump();
            if (answer.statusCode === 200) answers.count += 1;
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
    await until(() => answers.count >= 100);
    const answered = answers.count;
    await until(async () => (shown = await count()) >= answered);
    process.kill(gateway.pid, 'SIGKILL');
  });
  await again();
  const kept = await count();
  console.info(`SIGKILL after ${answers.count} answers: ${kept} records kept, ${answers.count - kept} lost`);
  expect(kept).toBeGreaterThanOrEqual(shown);
  answers.count = 0;
  await load(async () => {
    await until(() => answers.count >= 50);
    process.kill(gateway.pid, 'SIGTERM');
  });
  await until(() => gateway.logs().includes('"stopped"'));
  await again();
  expect(await count()).toBeGreaterThanOrEqual(kept + answers.count);
  await gateway.stop();
  await upstream.stop();
});

(isPostgresRun ? it : it.skip)('waits with its records while the database is away', async () => {
  const databaseUrl = await createDatabase();
  const wire = new Wire(new URL(databaseUrl));
  const upstream = await startFakeUpstream();
  const gateway = await startGateway({ config: configOf(upstream), env: { DATABASE_URL: await wire.open() } });
  const key = await gateway.apiKey();
  const ask = async (): Promise<number> => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'paid', messages: [{ role: 'user', content: 'x' }] }),
    });
    await response.text();
    return response.status;
  };
  try {
    expect(await ask()).toBe(200);
    wire.cut();
    for (let round = 0; round < 20; round += 1) expect(await ask()).toBe(200);
    await until(() => gateway.logs().includes('usage records wait for the database'));
    await wire.open();
    await until(async () => {
      const response = await fetch(`${gateway.url}/v1/admin/usage?interval=none`, {
        headers: { 'x-api-key': gateway.adminKey },
      });
      return response.status === 200 && ((await response.json()) as List<Sum>).data[0]?.requests === 21;
    });
  } finally {
    await gateway.stop();
    await upstream.stop();
    wire.cut();
    await dropDatabase(databaseUrl);
  }
});
