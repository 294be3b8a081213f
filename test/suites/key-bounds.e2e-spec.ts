import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { GatewayClient, OpenResponse } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

/** Begins to respond, and then is silent. */
const SILENT = 'fake/stall';
const soon = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

describe('a key never outlives or outspends the key that made it', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let admin: GatewayClient;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        providers: { fake: openAiAt(upstream) },
        models: [model('priced', 'fake/echo', { price: price(1_000, 1_000) })],
      },
    });
    ({ admin } = gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const mint = (fields: object, maker: string): Promise<GatewayResponse> =>
    gateway.client(maker).post('/v1/admin/keys', { name: 'bound', ...fields });
  const chat = (key: string): Promise<GatewayResponse<object>> =>
    gateway.client(key).chat({ model: 'priced', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] });
  function expectRefusal({ status, body }: GatewayResponse<object>, param: string, value: string | number): void {
    expect({ status, param: body.error?.param }).toEqual({ status: 403, param });
    expect(body.error?.message).toContain(String(value));
  }

  const BOTH = { scopes: ['admin', 'inference'] };

  it('by expiry, on create, change and rotation', async () => {
    const end = soon(1_000);
    const maker = await admin.createKey({ ...BOTH, expires_at: end });
    for (const fields of [{}, { expires_at: null }, { expires_at: end + 1 }]) {
      expectRefusal(await mint(fields, maker.key), 'expires_at', end);
    }
    const child = await gateway.client(maker.key).createKey({ expires_at: end });
    for (const id of [maker.id, child.id]) {
      expectRefusal(await gateway.client(maker.key).updateKey(id, { expires_at: null }), 'expires_at', end);
      expectRefusal(await gateway.client(maker.key).updateKey(id, { expires_at: end + 60 }), 'expires_at', end);
    }
    for (const id of [child.id, maker.id]) {
      expect((await gateway.client(maker.key).updateKey(id, { expires_at: end - 60 })).status).toBe(200);
    }
    const lasting = await admin.createKey();
    expectRefusal(await gateway.client(maker.key).rotateKey(lasting.id), 'expires_at', end - 60);
  });

  it('by its group, on create and change, through a group of its own too', async () => {
    const team = (await admin.createGroup({ budget: { usd: 1, period: 'total' } })).id;
    const plain = (await admin.createGroup()).id;
    for (const own of [team, plain]) {
      const maker = await admin.createKey({ ...BOTH, group_id: own });
      const free = (await gateway.client(maker.key).createGroup()).id;
      for (const fields of [{}, { group_id: null }, { group_id: free }]) {
        expectRefusal(await mint(fields, maker.key), 'group_id', own);
      }
      expectRefusal(await gateway.client(maker.key).updateKey(maker.id, { group_id: null }), 'group_id', own);
      expectRefusal(await gateway.client(maker.key).updateKey(maker.id, { group_id: free }), 'group_id', own);
      const child = await gateway.client(maker.key).createKey({ group_id: own });
      expectRefusal(await gateway.client(maker.key).updateKey(child.id, { group_id: free }), 'group_id', own);
    }
    const maker = await admin.createKey({ ...BOTH, group_id: team });
    expectRefusal(await gateway.client(maker.key).patch(`/v1/admin/groups/${team}`, { budget: null }), 'budget', 1);
    const unpriced = { budget: { usd: 1, period: 'total', allow_unpriced: true } };
    const widened = await gateway.client(maker.key).patch(`/v1/admin/groups/${team}`, unpriced);
    expectRefusal(widened, 'budget.allow_unpriced', 'allow_unpriced false');
  });

  it('by its budget and limits, and takes over no key that they do not hold for', async () => {
    const budget = { usd: 2, period: 'week' };
    const maker = await admin.createKey({ ...BOTH, budget, limits: { rpm: 70 } });
    const within = { budget, limits: { rpm: 70 } };
    expectRefusal(await mint({ ...within, budget: null }, maker.key), 'budget', '2 dollars a week');
    expectRefusal(await mint({ ...within, budget: { usd: 2.01, period: 'week' } }, maker.key), 'budget', 2);
    expectRefusal(await mint({ ...within, budget: { usd: 1, period: 'day' } }, maker.key), 'budget', 'week');
    expectRefusal(await mint({ ...within, limits: { rpm: 71 } }, maker.key), 'limits.rpm', 70);
    const unpriced = { ...budget, allow_unpriced: true };
    expectRefusal(await mint({ ...within, budget: unpriced }, maker.key), 'budget.allow_unpriced', 'allow_unpriced');
    expectRefusal(
      await gateway.client(maker.key).updateKey(maker.id, { budget: unpriced }),
      'budget.allow_unpriced',
      'allow_unpriced',
    );
    expectRefusal(await gateway.client(maker.key).updateKey(maker.id, { budget: null }), 'budget', 2);
    const stranger = await admin.createKey(within);
    expectRefusal(await gateway.client(maker.key).rotateKey(stranger.id), 'id', maker.id);
    expectRefusal(await gateway.client(maker.key).updateKey(stranger.id, { name: 'mine' }), 'id', maker.id);
    const child = await gateway.client(maker.key).createKey(within);
    expect((await gateway.client(maker.key).updateKey(child.id, { name: 'renamed' })).status).toBe(200);
    expect((await gateway.client(maker.key).rotateKey(child.id)).status).toBe(200);
  });

  it('by one budget that all its descendants share', async () => {
    // A call of 10 tokens at most, with the prompt, reserves less than 0.05 dollars and costs less.
    const budget = { usd: 0.08, period: 'total' };
    const first = await admin.createKey({ ...BOTH, budget });
    const second = await gateway.client(first.key).createKey({ ...BOTH, budget });
    const third = await gateway.client(second.key).createKey({ ...BOTH, budget });
    const others = await Promise.all([1, 2, 3].map(() => gateway.client(third.key).createKey({ budget })));
    const statuses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (const { key } of [...others, third, second, first]) statuses.push((await chat(key)).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    // Once the budget of the first is spent, no other key has any left.
    expect(statuses.slice(statuses.indexOf(429) + 6).includes(200)).toBe(false);
    const late = await gateway.client(third.key).createKey({ budget });
    expect((await chat(late.key)).body.error?.code).toBe('insufficient_quota');
  });

  it('by a budget that is set when the keys that it made have already spent', async () => {
    const team = (await admin.createGroup()).id;
    const maker = await admin.createKey({ ...BOTH, group_id: team });
    const child = await gateway.client(maker.key).createKey({ ...BOTH, group_id: team });
    const grandchild = await gateway.client(child.key).createKey({ group_id: team });
    const elsewhere = (await admin.createGroup()).id;
    expect((await admin.updateKey(grandchild.id, { group_id: elsewhere })).status).toBe(200);
    expect((await chat(grandchild.key)).status).toBe(200);
    // A call costs at least one token of a thousandth of a dollar, and reserves less than a hundred.
    const spent = { usd: 0.05, period: 'total' };
    for (let calls = 0; calls < 6; calls += 1) expect((await chat(grandchild.key)).status).toBe(200);
    await admin.updateKey(maker.id, { budget: spent });
    expect((await chat(grandchild.key)).body.error?.code).toBe('insufficient_quota');
    expect((await chat(maker.key)).body.error?.code).toBe('insufficient_quota');
    await admin.updateKey(maker.id, { budget: null });
    expect((await chat(grandchild.key)).status).toBe(200);
    await admin.patch(`/v1/admin/groups/${team}`, { budget: spent });
    expect((await chat(grandchild.key)).body.error?.code).toBe('insufficient_quota');
    expect((await chat(child.key)).body.error?.code).toBe('insufficient_quota');
  });

  it('by a message that says whose limit or budget has no room left', async () => {
    const budget = { usd: 0, period: 'total' };
    const team = (await admin.createGroup()).id;
    const maker = await admin.createKey({ ...BOTH, group_id: team });
    const child = await gateway.client(maker.key).createKey({ group_id: team });
    const other = await admin.createKey();
    const messageFor = async (key: string): Promise<string> => String((await chat(key)).body.error?.message);
    await admin.updateKey(other.id, { budget });
    expect(await messageFor(other.key)).toMatch(/^This key has spent/);
    await admin.updateKey(maker.id, { budget });
    expect(await messageFor(maker.key)).toMatch(/^This key has spent/);
    expect(await messageFor(child.key)).toMatch(/^A key that made this one has spent/);
    await admin.updateKey(maker.id, { budget: null, limits: { rpm: 1 } });
    await chat(child.key);
    expect(await messageFor(child.key)).toMatch(/^A key that made this one may make 1 requests a minute/);
    await admin.updateKey(maker.id, { limits: null });
    await admin.patch(`/v1/admin/groups/${team}`, { budget });
    expect(await messageFor(child.key)).toMatch(/^This key's group has spent/);
    await admin.updateKey(child.id, { group_id: null });
    expect(await messageFor(child.key)).toMatch(/^The group of a key that made this one has spent/);
  });

  it('by revocation: an admin key revokes no other with more rights, and none outside of its limits', async () => {
    const limited = await admin.createKey({ ...BOTH, limits: { rpm: 1_000 } });
    const narrow = await admin.createKey({ ...BOTH, allowed_models: ['sandbox/*'] });
    const short = await admin.createKey({ ...BOTH, expires_at: soon(1_000) });
    const strong = await admin.createKey(BOTH);
    const plain = await admin.createKey();
    const revoke = (id: string, key: string): Promise<GatewayResponse<object>> => gateway.client(key).revokeKey(id);
    expectRefusal(await revoke(strong.id, limited.key), 'id', limited.id);
    expectRefusal(await revoke(plain.id, limited.key), 'id', limited.id);
    for (const { key } of [narrow, short]) expectRefusal(await revoke(strong.id, key), 'id', strong.id);
    expect((await gateway.client(strong.key).get('/v1/models')).status).toBe(200);
    // What they made, what is no admin key, and themselves.
    const child = await gateway.client(limited.key).createKey({ ...BOTH, limits: { rpm: 10 } });
    expect((await revoke(child.id, limited.key)).status).toBe(200);
    expect((await revoke(plain.id, narrow.key)).status).toBe(200);
    for (const { id, key } of [limited, narrow, short]) expect((await revoke(id, key)).status).toBe(200);
  });

  it('by revocation: calls in flight of the key and of the keys that it made end, and no others', async () => {
    const maker = await admin.createKey(BOTH);
    const child = await gateway.client(maker.key).createKey();
    const stranger = await admin.createKey();
    const messages = [{ role: 'user', content: 'one two three four five six' }];
    const openStream = (key: string): Promise<OpenResponse> =>
      gateway.client(key).openChat({ model: SILENT, messages });
    const before = (await upstream.requests()).length;
    const streams = await Promise.all([maker, child, stranger].map(({ key }) => openStream(key)));
    const plain = gateway.client(child.key).chat({ model: SILENT, messages });
    await until(async () => (await upstream.requests()).length === before + 4);
    expect((await admin.revokeKey(maker.id)).status).toBe(200);
    expect((await plain).status).toBe(401);
    for (const stream of streams.slice(0, 2)) {
      const text = await stream.text();
      expect(text).toMatch(/data: \{"error":\{"message":"This key was revoked while .*"invalid_api_key"\}\}\n\n$/);
      expect(text).not.toContain('[DONE]');
    }
    await until(async () => (await upstream.requests()).slice(before).filter(({ aborted }) => aborted).length === 3);
    const open = (await upstream.requests()).slice(before).filter(({ closedAt }) => closedAt === null);
    expect(open).toHaveLength(1);
    streams[2]!.close();
  });

  it('later too: what is taken from a key is taken from the keys that it made', async () => {
    const maker = await admin.createKey({ ...BOTH, allowed_models: null });
    const child = await gateway.client(maker.key).createKey({ ...BOTH });
    const grandchild = await gateway.client(child.key).createKey();
    expect((await chat(grandchild.key)).status).toBe(200);
    await admin.updateKey(maker.id, { allowed_models: ['sandbox/*'] });
    expect((await chat(grandchild.key)).status).toBe(403);
    await admin.updateKey(maker.id, { allowed_models: null, budget: { usd: 0, period: 'total' } });
    expect((await chat(grandchild.key)).status).toBe(429);
    await admin.updateKey(maker.id, { budget: null, scopes: ['inference'] });
    expect((await chat(grandchild.key)).status).toBe(200);
    expect((await gateway.client(child.key).get('/v1/admin/keys')).status).toBe(403);
    await admin.updateKey(maker.id, { scopes: ['admin', 'inference'] });
    expect((await gateway.client(child.key).get('/v1/admin/keys')).status).toBe(200);
    expect((await admin.revokeKey(maker.id)).status).toBe(200);
    expect((await chat(child.key)).status).toBe(401);
    expect((await chat(grandchild.key)).status).toBe(401);
    const detached = await admin.updateKey(child.id, { parent_id: null });
    expect(detached).toMatchObject({ status: 200, body: { parent_id: null, created_by: maker.id } });
    expect((await chat(child.key)).status).toBe(200);
    expect((await chat(grandchild.key)).status).toBe(200);
  });

  it('and detaches no key from another, itself least of all', async () => {
    const maker = await admin.createKey({ ...BOTH, limits: { rpm: 500 } });
    const child = await gateway.client(maker.key).createKey({ ...BOTH, limits: { rpm: 500 } });
    for (const key of [maker.key, child.key]) {
      expectRefusal(
        await gateway.client(key).updateKey(child.id, { parent_id: null }),
        'parent_id',
        'GATEWAY_ADMIN_KEY',
      );
    }
    const other = await admin.updateKey(child.id, { parent_id: maker.id });
    expect([other.status, other.body.error?.param]).toEqual([400, 'parent_id']);
  });

  it('through a chain of keys that has an end', async () => {
    let last = await admin.createKey(BOTH);
    for (let depth = 1; depth < 20; depth += 1) last = await gateway.client(last.key).createKey(BOTH);
    const refused = await mint({}, last.key);
    expect([refused.status, refused.body.error?.message]).toEqual([403, expect.stringContaining('20 keys')]);
  });

  const NULLABLE = ['allowed_models', 'expires_at', 'metadata', 'limits', 'budget', 'group_id', 'request_log'];
  it.each([
    ['keys', ['name', 'scopes'], NULLABLE],
    ['groups', ['name'], ['limits', 'budget', 'metadata']],
  ])('gives null in a PATCH of %s a meaning, or refuses it by name', async (kind, refused, cleared) => {
    const set = { limits: { rpm: 5 }, budget: { usd: 1, period: 'day' }, metadata: { a: 1 } };
    const create = await admin.post(`/v1/admin/${kind}`, { name: 'null', ...set });
    const path = `/v1/admin/${kind}/${String(create.body['id'])}`;
    for (const field of refused) {
      const { status, body } = await admin.patch(path, { [field]: null });
      expect({ status, param: body.error?.param }).toEqual({ status: 400, param: field });
      expect((await admin.get(path)).body[field]).toEqual(create.body[field]);
    }
    for (const field of cleared) {
      expect(await admin.patch(path, { [field]: null })).toMatchObject({ status: 200, body: { [field]: null } });
    }
    for (const [nested, param] of [
      [{ limits: { rpm: null, tpm: 9 } }, 'limits.rpm'],
      [{ budget: { usd: 1, period: 'day', allow_unpriced: null } }, 'budget.allow_unpriced'],
      [{ budget: { usd: null, period: 'day' } }, 'budget.usd'],
      [{ budget: { usd: 1, period: null } }, 'budget.period'],
      ...(kind === 'keys' ? [[{ request_log: { days: null } }, 'request_log.days'] as const] : []),
    ] as const) {
      const { status, body } = await admin.patch(path, nested);
      expect({ status, param: body.error?.param }).toEqual({ status: 400, param });
    }
    if (kind === 'keys') {
      const { status, body } = await admin.post(`${path}/rotate`, { overlap_seconds: null });
      expect({ status, param: body.error?.param }).toEqual({ status: 400, param: 'overlap_seconds' });
    }
  });
});
