import type { KeyListDto } from '../../src/admin/keys/key.dto.js';
import type { ModelListDto } from '../../src/models/models.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

describe('/v1/admin/keys', () => {
  let gateway: RunningGateway;
  let admin: GatewayClient;

  beforeAll(async () => {
    gateway = await startGateway();
    ({ admin } = gateway);
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const statusOf = async (key: string): Promise<number> => (await gateway.client(key).chat()).status;

  it('makes a key that works and is shown once', async () => {
    const { status, body } = await admin.post('/v1/admin/keys', {
      name: 'checkout',
      allowed_models: ['sandbox/*'],
      metadata: { owner: 'ada' },
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{16}$/) as string,
      object: 'api_key',
      key: expect.stringMatching(/^gw_[0-9a-f]{16}_[0-9A-Za-z]{40}_[0-9a-f]{6}$/) as string,
      name: 'checkout',
      hint: expect.stringMatching(/^\.\.\..{8}$/) as string,
      scopes: ['inference'],
      allowed_models: ['sandbox/*'],
      metadata: { owner: 'ada' },
      limits: null,
      budget: null,
      group_id: null,
      request_log: null,
      created_by: 'admin',
      owner: null,
      parent_id: null,
      created_at: expect.any(Number) as number,
      expires_at: null,
      fallbacks: 'any',
      revoked_at: null,
      previous_key_expires_at: null,
    });
    const key = String(body['key']);
    expect(await statusOf(key)).toBe(200);
    const read = await admin.get(`/v1/admin/keys/${String(body['id'])}`);
    expect(JSON.stringify(read.body)).not.toContain(key);
    expect(read.body).not.toHaveProperty('key');
    expect(JSON.stringify((await admin.get('/v1/admin/keys?limit=100')).body)).not.toContain(key);
  });

  it.each([
    [{}, 'name', 'missing_required_parameter'],
    [{ name: 7 }, 'name', 'invalid_type'],
    [{ name: '' }, 'name', 'invalid_value'],
    [{ name: 'x'.repeat(201) }, 'name', 'invalid_value'],
    [{ name: 'x', scopes: ['root'] }, 'scopes', 'invalid_value'],
    [{ name: 'x', scopes: [] }, 'scopes', 'invalid_value'],
    [{ name: 'x', allowed_models: 'all' }, 'allowed_models', 'invalid_type'],
    [{ name: 'x', expires_at: 1 }, 'expires_at', 'invalid_value'],
    [{ name: 'x', expires_at: '2030-01-01' }, 'expires_at', 'invalid_type'],
    [{ name: 'x', expire_at: 4102444800 }, 'expire_at', 'unknown_parameter'],
    [{ name: 'x', limit: { rpm: 5 } }, 'limit', 'unknown_parameter'],
    [{ name: 'x', metadata: [] }, 'metadata', 'invalid_type'],
  ])('refuses %j at %s', async (fields, param, code) => {
    const { status, body } = await admin.post('/v1/admin/keys', fields);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ param, code, message: expect.stringContaining(`'${param}'`) as string });
  });

  it('pages through all keys, newest first', async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index += 1) made.push((await admin.createKey({ name: `page ${index}` })).id);
    const seen: string[] = [];
    let after = '';
    do {
      const { body } = await admin.get<KeyListDto>(`/v1/admin/keys?limit=2${after}`);
      seen.push(...body.data.map(({ id }) => id));
      expect(body.has_more).toBe(body.next !== null);
      after = body.next === null ? '' : `&after=${body.next}`;
    } while (after !== '');
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => made.includes(id))).toHaveLength(5);
    expect((await admin.get('/v1/admin/keys?limit=0')).body.error).toMatchObject({ param: 'limit' });
    expect((await admin.get('/v1/admin/keys?after=nope')).body.error).toMatchObject({ param: 'after' });
    expect((await admin.get('/v1/admin/keys?offset=2')).body.error).toMatchObject({ param: 'offset' });
  });

  it('is closed to keys without the scope, and to none at all', async () => {
    const { key } = await admin.createKey();
    for (const [method, path] of [
      ['GET', '/v1/admin/keys'],
      ['POST', '/v1/admin/keys'],
      ['GET', '/v1/admin/keys/x'],
      ['PATCH', '/v1/admin/keys/x'],
      ['DELETE', '/v1/admin/keys/x'],
      ['POST', '/v1/admin/keys/x/rotate'],
    ] as const) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      expect(await gateway.client(key).send(method, path, body)).toMatchObject({
        status: 403,
        body: { error: { code: 'insufficient_scope' } },
      });
      expect(await gateway.client('gw_unknown').send(method, path, body)).toMatchObject({
        status: 401,
        body: { error: { code: 'invalid_api_key' } },
      });
    }
  });

  it('lets a key call its models alone, and see no others', async () => {
    const { key } = await admin.createKey({ allowed_models: ['sandbox/echo'] });
    expect(await statusOf(key)).toBe(200);
    const refused = await gateway.client(key).chat({ model: 'sandbox/lorem' });
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'model_not_allowed', param: 'model' } } });
    const { data } = (await gateway.client(key).get<ModelListDto>('/v1/models')).body;
    expect(data.map(({ id }) => id)).toEqual(['sandbox/echo']);
    const hidden = await gateway.client(key).get('/v1/models/sandbox/lorem');
    const unknown = await gateway.client(key).get('/v1/models/sandbox/nothere');
    expect(hidden.status).toBe(404);
    expect(hidden.body.error?.message.replace('lorem', '')).toBe(unknown.body.error?.message.replace('nothere', ''));
  });

  it('never gives more rights than the maker has', async () => {
    const limited = await admin.createKey({ scopes: ['admin'], allowed_models: ['sandbox/*'] });
    expect(
      await gateway.client(limited.key).post('/v1/admin/keys', { name: 'x', scopes: ['inference'] }),
    ).toMatchObject({
      status: 403,
      body: { error: { code: 'insufficient_scope', param: 'scopes' } },
    });
    const both = await admin.createKey({ scopes: ['admin', 'inference'], allowed_models: ['sandbox/*'] });
    expect(await gateway.client(both.key).post('/v1/admin/keys', { name: 'x' })).toMatchObject({
      status: 403,
      body: { error: { code: 'model_not_allowed', param: 'allowed_models' } },
    });
    const minted = await gateway.client(both.key).createKey({ allowed_models: ['sandbox/echo'] });
    expect((await gateway.client(both.key).updateKey(minted.id, { allowed_models: null })).status).toBe(403);
    expect((await gateway.client(both.key).updateKey(both.id, { allowed_models: null })).status).toBe(403);
  });

  it('changes a key, and leaves what is not named', async () => {
    const { id, key } = await admin.createKey({ metadata: { a: 1 } });
    expect(await statusOf(key)).toBe(200);
    const { status, body } = await admin.updateKey(id, {
      name: 'renamed',
      allowed_models: ['sandbox/lorem'],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'renamed', allowed_models: ['sandbox/lorem'], metadata: { a: 1 } });
    expect(await statusOf(key)).toBe(403);
    expect((await admin.updateKey('key_0000000000000000', { name: 'x' })).status).toBe(404);
  });

  it('revokes a key at once, again without a fault, and for good', async () => {
    const { id, key } = await admin.createKey();
    expect(await statusOf(key)).toBe(200);
    const first = await admin.revokeKey(id);
    expect(first).toMatchObject({ status: 200, body: { id, revoked_at: expect.any(Number) as number } });
    expect(await statusOf(key)).toBe(401);
    expect((await admin.revokeKey(id)).body).toEqual(first.body);
    expect(await admin.rotateKey(id)).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict' } },
    });
  });

  it('rotates a key at once, or with an overlap', async () => {
    const { id, key } = await admin.createKey();
    const second = await admin.rotateKey(id, { overlap_seconds: 3 });
    expect(second).toMatchObject({ status: 200, body: { id, previous_key_expires_at: expect.any(Number) as number } });
    const secondKey = second.body.key;
    expect(await statusOf(key)).toBe(200);
    expect(await statusOf(secondKey)).toBe(200);
    await until(async () => (await statusOf(key)) === 401);
    expect(await statusOf(secondKey)).toBe(200);
    const third = await admin.rotateKey(id);
    expect(await statusOf(secondKey)).toBe(401);
    expect(await statusOf(third.body.key)).toBe(200);
    expect((await admin.rotateKey(id, { overlap_seconds: -1 })).body.error).toMatchObject({
      param: 'overlap_seconds',
    });
  });

  it('lets a key end by itself', async () => {
    const { key } = await admin.createKey({ expires_at: Math.floor(Date.now() / 1000) + 3 });
    expect(await statusOf(key)).toBe(200);
    await until(async () => (await statusOf(key)) === 401);
  });

  it('takes a stored hash, a changed key and a key of another shape for nothing', async () => {
    const { key } = await admin.createKey();
    expect(await statusOf(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`)).toBe(401);
    expect(await statusOf(key.toUpperCase())).toBe(401);
    expect(await statusOf(`${key} `)).toBe(200);
    expect(await statusOf('0'.repeat(64))).toBe(401);
  });
});

describe('two processes on one database', () => {
  it('feel a revocation in the other', async () => {
    const first = await startGateway();
    const second = await startGateway({
      dataDirectory: first.dataDirectory,
      joins: first,
    });
    try {
      const { id, key } = await first.admin.createKey();
      const client = second.client(key);
      const ask = async (): Promise<number> => (await client.get('/v1/models')).status;
      expect(await ask()).toBe(200);
      await first.admin.revokeKey(id);
      await until(async () => (await ask()) === 401);
    } finally {
      await second.stop();
      await first.stop();
    }
  });
});
