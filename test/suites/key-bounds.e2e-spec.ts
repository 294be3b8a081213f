import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

interface Answer {
  status: number;
  body: Record<string, unknown> & { error?: { code: string; param: string | null; message: string } };
}
interface Key {
  id: string;
  key: string;
}

/** Begins to respond, and then is silent. */
const SILENT = 'fake/stall';
const soon = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

describe('a key never outlives or outspends the key that made it', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: `providers:
  fake: { type: openai, base_url: "${upstream.url}/v1" }
models:
  - id: priced
    deployments: [{ provider: fake, model: echo }]
    price: { input_per_million: 1000, output_per_million: 1000 }
`,
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  async function call(method: string, path: string, body?: unknown, key = gateway.adminKey): Promise<Answer> {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
  const mint = (fields: object, maker?: string): Promise<Answer> =>
    call('POST', '/v1/admin/keys', { name: 'bound', ...fields }, maker);
  const patch = (id: string, fields: object, key?: string): Promise<Answer> =>
    call('PATCH', `/v1/admin/keys/${id}`, fields, key);
  async function made(fields: object, maker?: string): Promise<Key> {
    const { status, body } = await mint(fields, maker);
    expect({ status, error: body.error }).toEqual({ status: 201, error: undefined });
    return body as unknown as Key;
  }
  async function group(fields: object, key?: string): Promise<string> {
    return String((await call('POST', '/v1/admin/groups', { name: 'bound', ...fields }, key)).body['id']);
  }
  const chat = (key: string, maxTokens = 10): Promise<Answer> => {
    const messages = [{ role: 'user', content: 'hi' }];
    return call('POST', '/v1/chat/completions', { model: 'priced', max_tokens: maxTokens, messages }, key);
  };
  function expectRefusal({ status, body }: Answer, param: string, value: string | number): void {
    expect({ status, param: body.error?.param }).toEqual({ status: 403, param });
    expect(body.error?.message).toContain(String(value));
  }

  const BOTH = { scopes: ['admin', 'inference'] };

  it('by expiry, on create, change and rotation', async () => {
    const end = soon(1_000);
    const maker = await made({ ...BOTH, expires_at: end });
    for (const fields of [{}, { expires_at: null }, { expires_at: end + 1 }]) {
      expectRefusal(await mint(fields, maker.key), 'expires_at', end);
    }
    const child = await made({ expires_at: end }, maker.key);
    for (const id of [maker.id, child.id]) {
      expectRefusal(await patch(id, { expires_at: null }, maker.key), 'expires_at', end);
      expectRefusal(await patch(id, { expires_at: end + 60 }, maker.key), 'expires_at', end);
    }
    for (const id of [child.id, maker.id]) {
      expect((await patch(id, { expires_at: end - 60 }, maker.key)).status).toBe(200);
    }
    const lasting = await made({});
    expectRefusal(await call('POST', `/v1/admin/keys/${lasting.id}/rotate`, {}, maker.key), 'expires_at', end - 60);
  });

  it('by its group, on create and change, through a group of its own too', async () => {
    const team = await group({ budget: { usd: 1, period: 'total' } });
    const plain = await group({});
    for (const own of [team, plain]) {
      const maker = await made({ ...BOTH, group_id: own });
      const free = await group({}, maker.key);
      for (const fields of [{}, { group_id: null }, { group_id: free }]) {
        expectRefusal(await mint(fields, maker.key), 'group_id', own);
      }
      expectRefusal(await patch(maker.id, { group_id: null }, maker.key), 'group_id', own);
      expectRefusal(await patch(maker.id, { group_id: free }, maker.key), 'group_id', own);
      const child = await made({ group_id: own }, maker.key);
      expectRefusal(await patch(child.id, { group_id: free }, maker.key), 'group_id', own);
    }
    const maker = await made({ ...BOTH, group_id: team });
    expectRefusal(await call('PATCH', `/v1/admin/groups/${team}`, { budget: null }, maker.key), 'budget', 1);
    const unpriced = { budget: { usd: 1, period: 'total', allow_unpriced: true } };
    const widened = await call('PATCH', `/v1/admin/groups/${team}`, unpriced, maker.key);
    expectRefusal(widened, 'budget.allow_unpriced', 'allow_unpriced false');
  });

  it('by its budget and limits, and takes over no key that they do not hold for', async () => {
    const budget = { usd: 2, period: 'week' };
    const maker = await made({ ...BOTH, budget, limits: { rpm: 70 } });
    const within = { budget, limits: { rpm: 70 } };
    expectRefusal(await mint({ ...within, budget: null }, maker.key), 'budget', '2 dollars a week');
    expectRefusal(await mint({ ...within, budget: { usd: 2.01, period: 'week' } }, maker.key), 'budget', 2);
    expectRefusal(await mint({ ...within, budget: { usd: 1, period: 'day' } }, maker.key), 'budget', 'week');
    expectRefusal(await mint({ ...within, limits: { rpm: 71 } }, maker.key), 'limits.rpm', 70);
    const unpriced = { ...budget, allow_unpriced: true };
    expectRefusal(await mint({ ...within, budget: unpriced }, maker.key), 'budget.allow_unpriced', 'allow_unpriced');
    expectRefusal(await patch(maker.id, { budget: unpriced }, maker.key), 'budget.allow_unpriced', 'allow_unpriced');
    expectRefusal(await patch(maker.id, { budget: null }, maker.key), 'budget', 2);
    const stranger = await made(within);
    expectRefusal(await call('POST', `/v1/admin/keys/${stranger.id}/rotate`, {}, maker.key), 'id', maker.id);
    expectRefusal(await patch(stranger.id, { name: 'mine' }, maker.key), 'id', maker.id);
    const child = await made(within, maker.key);
    expect((await patch(child.id, { name: 'renamed' }, maker.key)).status).toBe(200);
    expect((await call('POST', `/v1/admin/keys/${child.id}/rotate`, {}, maker.key)).status).toBe(200);
  });

  it('by one budget that all its descendants share', async () => {
    // A call of 10 tokens at most, with the prompt, reserves less than 0.05 dollars and costs less.
    const budget = { usd: 0.08, period: 'total' };
    const first = await made({ ...BOTH, budget });
    const second = await made({ ...BOTH, budget }, first.key);
    const third = await made({ ...BOTH, budget }, second.key);
    const others = await Promise.all([1, 2, 3].map(() => made({ budget }, third.key)));
    const statuses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (const { key } of [...others, third, second, first]) statuses.push((await chat(key)).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    // Once the budget of the first is spent, no other key has any left.
    expect(statuses.slice(statuses.indexOf(429) + 6).includes(200)).toBe(false);
    const late = await made({ budget }, third.key);
    expect((await chat(late.key)).body.error?.code).toBe('insufficient_quota');
  });

  it('by a budget that is set when the keys that it made have already spent', async () => {
    const team = await group({});
    const maker = await made({ ...BOTH, group_id: team });
    const child = await made({ ...BOTH, group_id: team }, maker.key);
    const grandchild = await made({ group_id: team }, child.key);
    const elsewhere = await group({});
    expect((await patch(grandchild.id, { group_id: elsewhere })).status).toBe(200);
    expect((await chat(grandchild.key)).status).toBe(200);
    // A call costs at least one token of a thousandth of a dollar, and reserves less than a hundred.
    const spent = { usd: 0.05, period: 'total' };
    for (let calls = 0; calls < 6; calls += 1) expect((await chat(grandchild.key)).status).toBe(200);
    await patch(maker.id, { budget: spent });
    expect((await chat(grandchild.key)).body.error?.code).toBe('insufficient_quota');
    expect((await chat(maker.key)).body.error?.code).toBe('insufficient_quota');
    await patch(maker.id, { budget: null });
    expect((await chat(grandchild.key)).status).toBe(200);
    await call('PATCH', `/v1/admin/groups/${team}`, { budget: spent });
    expect((await chat(grandchild.key)).body.error?.code).toBe('insufficient_quota');
    expect((await chat(child.key)).body.error?.code).toBe('insufficient_quota');
  });

  it('by a message that says whose limit or budget has no room left', async () => {
    const budget = { usd: 0, period: 'total' };
    const team = await group({});
    const maker = await made({ ...BOTH, group_id: team });
    const child = await made({ group_id: team }, maker.key);
    const other = await made({});
    const messageFor = async (key: string): Promise<string> => String((await chat(key)).body.error?.message);
    await patch(other.id, { budget });
    expect(await messageFor(other.key)).toMatch(/^This key has spent/);
    await patch(maker.id, { budget });
    expect(await messageFor(maker.key)).toMatch(/^This key has spent/);
    expect(await messageFor(child.key)).toMatch(/^A key that made this one has spent/);
    await patch(maker.id, { budget: null, limits: { rpm: 1 } });
    await chat(child.key);
    expect(await messageFor(child.key)).toMatch(/^A key that made this one may make 1 requests a minute/);
    await patch(maker.id, { limits: null });
    await call('PATCH', `/v1/admin/groups/${team}`, { budget });
    expect(await messageFor(child.key)).toMatch(/^This key's group has spent/);
    await patch(child.id, { group_id: null });
    expect(await messageFor(child.key)).toMatch(/^The group of a key that made this one has spent/);
  });

  it('by revocation: an admin key revokes no other with more rights, and none outside of its limits', async () => {
    const limited = await made({ ...BOTH, limits: { rpm: 1_000 } });
    const narrow = await made({ ...BOTH, allowed_models: ['sandbox/*'] });
    const short = await made({ ...BOTH, expires_at: soon(1_000) });
    const strong = await made(BOTH);
    const plain = await made({});
    const revoke = (id: string, key: string): Promise<Answer> => call('DELETE', `/v1/admin/keys/${id}`, undefined, key);
    expectRefusal(await revoke(strong.id, limited.key), 'id', limited.id);
    expectRefusal(await revoke(plain.id, limited.key), 'id', limited.id);
    for (const { key } of [narrow, short]) expectRefusal(await revoke(strong.id, key), 'id', strong.id);
    expect((await call('GET', '/v1/models', undefined, strong.key)).status).toBe(200);
    // What they made, what is no admin key, and themselves.
    const child = await made({ ...BOTH, limits: { rpm: 10 } }, limited.key);
    expect((await revoke(child.id, limited.key)).status).toBe(200);
    expect((await revoke(plain.id, narrow.key)).status).toBe(200);
    for (const { id, key } of [limited, narrow, short]) expect((await revoke(id, key)).status).toBe(200);
  });

  it('by revocation: calls in flight of the key and of the keys that it made end, and no others', async () => {
    const maker = await made(BOTH);
    const child = await made({}, maker.key);
    const stranger = await made({});
    const slow = async (key: string, stream: boolean): Promise<Response> => {
      const messages = [{ role: 'user', content: 'one two three four five six' }];
      const body = JSON.stringify({ model: SILENT, stream, messages });
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      return fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body });
    };
    const before = (await upstream.requests()).length;
    const streams = await Promise.all([maker, child, stranger].map(({ key }) => slow(key, true)));
    const plain = slow(child.key, false);
    await until(async () => (await upstream.requests()).length === before + 4);
    expect((await call('DELETE', `/v1/admin/keys/${maker.id}`)).status).toBe(200);
    expect((await plain).status).toBe(401);
    for (const stream of streams.slice(0, 2)) {
      const text = await stream.text();
      expect(text).toMatch(/data: \{"error":\{"message":"This key was revoked while .*"invalid_api_key"\}\}\n\n$/);
      expect(text).not.toContain('[DONE]');
    }
    await until(async () => (await upstream.requests()).slice(before).filter(({ aborted }) => aborted).length === 3);
    const open = (await upstream.requests()).slice(before).filter(({ closedAt }) => closedAt === null);
    expect(open).toHaveLength(1);
    await streams[2]!.body?.cancel();
  });

  it('later too: what is taken from a key is taken from the keys that it made', async () => {
    const maker = await made({ ...BOTH, allowed_models: null });
    const child = await made({ ...BOTH }, maker.key);
    const grandchild = await made({}, child.key);
    expect((await chat(grandchild.key)).status).toBe(200);
    await patch(maker.id, { allowed_models: ['sandbox/*'] });
    expect((await chat(grandchild.key)).status).toBe(403);
    await patch(maker.id, { allowed_models: null, budget: { usd: 0, period: 'total' } });
    expect((await chat(grandchild.key)).status).toBe(429);
    await patch(maker.id, { budget: null, scopes: ['inference'] });
    expect((await chat(grandchild.key)).status).toBe(200);
    expect((await call('GET', '/v1/admin/keys', undefined, child.key)).status).toBe(403);
    await patch(maker.id, { scopes: ['admin', 'inference'] });
    expect((await call('GET', '/v1/admin/keys', undefined, child.key)).status).toBe(200);
    expect((await call('DELETE', `/v1/admin/keys/${maker.id}`)).status).toBe(200);
    expect((await chat(child.key)).status).toBe(401);
    expect((await chat(grandchild.key)).status).toBe(401);
    const detached = await patch(child.id, { parent_id: null });
    expect(detached).toMatchObject({ status: 200, body: { parent_id: null, created_by: maker.id } });
    expect((await chat(child.key)).status).toBe(200);
    expect((await chat(grandchild.key)).status).toBe(200);
  });

  it('and detaches no key from another, itself least of all', async () => {
    const maker = await made({ ...BOTH, limits: { rpm: 500 } });
    const child = await made({ ...BOTH, limits: { rpm: 500 } }, maker.key);
    for (const key of [maker.key, child.key]) {
      expectRefusal(await patch(child.id, { parent_id: null }, key), 'parent_id', 'GATEWAY_ADMIN_KEY');
    }
    const other = await patch(child.id, { parent_id: maker.id });
    expect([other.status, other.body.error?.param]).toEqual([400, 'parent_id']);
  });

  it('through a chain of keys that has an end', async () => {
    let last = await made(BOTH);
    for (let depth = 1; depth < 20; depth += 1) last = await made(BOTH, last.key);
    const refused = await mint({}, last.key);
    expect([refused.status, refused.body.error?.message]).toEqual([403, expect.stringContaining('20 keys')]);
  });

  const NULLABLE = ['allowed_models', 'expires_at', 'metadata', 'limits', 'budget', 'group_id', 'request_log'];
  it.each([
    ['keys', ['name', 'scopes'], NULLABLE],
    ['groups', ['name'], ['limits', 'budget', 'metadata']],
  ])('gives null in a PATCH of %s a meaning, or refuses it by name', async (kind, refused, cleared) => {
    const set = { limits: { rpm: 5 }, budget: { usd: 1, period: 'day' }, metadata: { a: 1 } };
    const create = await call('POST', `/v1/admin/${kind}`, { name: 'null', ...set });
    const path = `/v1/admin/${kind}/${String(create.body['id'])}`;
    for (const field of refused) {
      const { status, body } = await call('PATCH', path, { [field]: null });
      expect({ status, param: body.error?.param }).toEqual({ status: 400, param: field });
      expect((await call('GET', path)).body[field]).toEqual(create.body[field]);
    }
    for (const field of cleared) {
      expect(await call('PATCH', path, { [field]: null })).toMatchObject({ status: 200, body: { [field]: null } });
    }
    for (const [nested, param] of [
      [{ limits: { rpm: null, tpm: 9 } }, 'limits.rpm'],
      [{ budget: { usd: 1, period: 'day', allow_unpriced: null } }, 'budget.allow_unpriced'],
      [{ budget: { usd: null, period: 'day' } }, 'budget.usd'],
      [{ budget: { usd: 1, period: null } }, 'budget.period'],
      ...(kind === 'keys' ? [[{ request_log: { days: null } }, 'request_log.days'] as const] : []),
    ] as const) {
      const { status, body } = await call('PATCH', path, nested);
      expect({ status, param: body.error?.param }).toEqual({ status: 400, param });
    }
    if (kind === 'keys') {
      const { status, body } = await call('POST', `${path}/rotate`, { overlap_seconds: null });
      expect({ status, param: body.error?.param }).toEqual({ status: 400, param: 'overlap_seconds' });
    }
  });
});
