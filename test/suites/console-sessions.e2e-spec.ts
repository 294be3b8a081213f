import type { OwnSessionDto, SessionListDto } from '../../src/console/session.dto.js';
import type { LatencyRowListDto } from '../../src/usage/report/latency.dto.js';
import type { UsageRecordListDto } from '../../src/usage/report/usage-record.dto.js';
import type { UsageRowListDto } from '../../src/usage/report/usage-row.dto.js';
import type { GatewayClient, Method, RequestBody } from '../clients/gateway-client.js';
import type { GatewayResponse, Json } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const CHAT = { model: 'sandbox/echo', messages: [{ role: 'user', content: 'one two three' }] };
/** Of all instances on one database. */
const PEPPER = 'k3J9sQ1xV7bN5mZ0pL2wR8tY4uD6fG1h';

/** A browser: it sends back its cookie, and the CSRF token where it is asked to. */
class Browser {
  cookie = '';
  csrf = '';

  constructor(private readonly client: GatewayClient) {}

  async signIn(key: string, headers: Readonly<Record<string, string>> = {}): Promise<GatewayResponse<OwnSessionDto>> {
    const response = await this.client.post<OwnSessionDto>('/v1/session', { key }, { headers });
    const [first] = response.header('set-cookie').split(';');
    if (response.status === 201) {
      this.cookie = first ?? '';
      this.csrf = response.body.csrf_token;
    }
    return response;
  }

  send<Body = Json>(
    method: Method,
    path: string,
    body?: RequestBody,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<GatewayResponse<Body>> {
    const csrf: Record<string, string> = method === 'GET' ? {} : { 'x-csrf-token': this.csrf };
    return this.client.send<Body>(method, path, body, { headers: { cookie: this.cookie, ...csrf, ...headers } });
  }
}

describe(`sessions of the console (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway({
      config: { console: { session_lifetime: '2h', idle_timeout: '1h' } },
      env: { GATEWAY_KEY_PEPPER: PEPPER },
    });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const newBrowser = (): Browser => new Browser(gateway.client(''));
  const signedIn = async (key: string): Promise<Browser> => {
    const browser = newBrowser();
    expect((await browser.signIn(key)).status).toBe(201);
    return browser;
  };

  it('begin with a key, in a cookie that scripts and other sites cannot use', async () => {
    const browser = newBrowser();
    const { status, body, header } = await browser.signIn(gateway.adminKey, { 'user-agent': 'A browser' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ object: 'session', role: 'admin', key_id: 'admin', user_agent: 'A browser' });
    expect(body.expires_at - body.created_at).toBe(7_200);
    expect(body.idle_expires_at - body.created_at).toBe(3_600);
    const cookie = header('set-cookie');
    expect(cookie).toMatch(
      /^gateway_session=sess_[0-9a-f]{24}\.[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    );
    expect(JSON.stringify(body)).not.toContain(browser.cookie.split('.')[1]);
    const https = await newBrowser().signIn(gateway.adminKey, { 'x-forwarded-proto': 'https' });
    expect(https.header('set-cookie')).toMatch(/; Secure$/);
  });

  it('stand for the key, on admin and model endpoints', async () => {
    const browser = await signedIn(gateway.adminKey);
    expect((await browser.send('GET', '/v1/session')).body).toMatchObject({ role: 'admin', csrf_token: browser.csrf });
    expect((await browser.send('GET', '/v1/admin/keys')).status).toBe(200);
    const made = await browser.send('POST', '/v1/admin/keys', { name: 'made in a session' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ created_by: 'admin' });
    expect((await browser.send('POST', '/v1/chat/completions', CHAT)).body).toMatchObject({
      choices: [{ message: { content: 'one two three' } }],
    });
  });

  it('need the CSRF token for all but reads, and serve no page of another origin', async () => {
    const browser = await signedIn(gateway.adminKey);
    const other = await signedIn(gateway.adminKey);
    for (const token of ['', 'x', other.csrf]) {
      for (const [method, path] of [
        ['POST', '/v1/admin/keys'],
        ['POST', '/v1/chat/completions'],
        ['PATCH', '/v1/admin/keys/key_0000000000000000'],
        ['DELETE', '/v1/session'],
      ] as const) {
        const refused = await browser.send(method, path, { name: 'forged' }, { 'x-csrf-token': token });
        expect({ status: refused.status, code: refused.body.error?.code }).toEqual({
          status: 403,
          code: 'csrf_token_invalid',
        });
      }
    }
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
    ];
    for (const headers of foreign) {
      expect((await browser.send('GET', '/v1/admin/keys', undefined, headers)).status).toBe(403);
      expect((await newBrowser().signIn(gateway.adminKey, headers)).status).toBe(403);
    }
    expect((await browser.send('GET', '/v1/admin/keys', undefined, { origin: gateway.url })).status).toBe(200);
  });

  it('are ignored beside a key, right or wrong', async () => {
    const browser = await signedIn(gateway.adminKey);
    const keys: Record<string, string>[] = [
      { authorization: 'Bearer wrong' },
      { authorization: 'nonsense' },
      { 'x-api-key': 'wrong' },
    ];
    for (const headers of keys) {
      expect((await browser.send('GET', '/v1/admin/keys', undefined, headers)).status).toBe(401);
    }
    const plain = await gateway.apiKey();
    const asKey = await browser.send('GET', '/v1/admin/keys', undefined, { authorization: `Bearer ${plain}` });
    expect(asKey.status).toBe(403);
    expect((await gateway.admin.get('/v1/session')).status).toBe(404);
  });

  it('of other keys are members: their own key and usage, and nothing of operators', async () => {
    const client = await gateway.newClient({ name: 'a member' });
    const stranger = await gateway.newClient({ name: 'a stranger' });
    await client.chat({ model: 'sandbox/echo' });
    await stranger.chat({ model: 'sandbox/echo' });
    const browser = await signedIn(client.key);
    expect((await browser.send('GET', '/v1/session')).body).toMatchObject({ role: 'member', name: 'a member' });
    expect((await browser.send('GET', '/v1/key')).body).toMatchObject({ id: client.keyId });
    for (const path of ['/v1/admin/keys', '/v1/admin/usage', '/v1/admin/sessions', '/v1/admin/audit']) {
      expect((await browser.send('GET', path)).status).toBe(403);
    }
    await until(async () => {
      const { body } = await browser.send<UsageRowListDto>('GET', '/v1/key/usage?interval=none');
      return body.data[0]?.requests === 1;
    });
    const records = await browser.send<UsageRecordListDto>('GET', '/v1/key/usage/records');
    expect(records.body.data.map(({ key_id: id }) => id)).toEqual([client.keyId]);
    const [record] = records.body.data;
    const found = await gateway.admin.read<UsageRecordListDto>(
      `/v1/admin/usage/records?request_id=${String(record?.request_id)}`,
    );
    expect(found.data.map(({ id }) => id)).toEqual([record?.id]);
    expect((await browser.send('GET', `/v1/key/usage?key_id=${stranger.keyId}`)).status).toBe(400);
    const failed = await gateway.admin.read<UsageRecordListDto>('/v1/admin/usage/records?status=failed');
    expect(failed.data).toEqual([]);
  });

  it('end when their browser signs out, an administrator ends them, or the key is rotated or revoked', async () => {
    const statusIn = async (browser: Browser): Promise<number> => (await browser.send('GET', '/v1/key')).status;
    const client = await gateway.newClient({ name: 'ends' });
    const [first, second, third] = [await signedIn(client.key), await signedIn(client.key), await signedIn(client.key)];

    const out = await first.send('DELETE', '/v1/session');
    expect(out.status).toBe(200);
    expect(out.header('set-cookie')).toMatch(/^gateway_session=; Path=\/; Max-Age=0; HttpOnly; SameSite=Strict$/);
    expect([await statusIn(first), await statusIn(second)]).toEqual([401, 200]);

    const listed = await gateway.admin.read<SessionListDto>('/v1/admin/sessions?limit=100');
    expect(JSON.stringify(listed)).not.toContain(second.cookie.split('.')[1]);
    const id = second.cookie.slice('gateway_session='.length).split('.')[0] ?? '';
    expect(listed.data.find((each) => each.id === id)).toMatchObject({ key_id: client.keyId });
    expect((await gateway.admin.delete(`/v1/admin/sessions/${id}`)).status).toBe(200);
    expect((await gateway.admin.delete(`/v1/admin/sessions/${id}`)).status).toBe(404);
    expect([await statusIn(second), await statusIn(third)]).toEqual([401, 200]);

    const rotated = await gateway.admin.make(`/v1/admin/keys/${client.keyId}/rotate`, { overlap_seconds: 600 });
    expect(await statusIn(third)).toBe(401);
    const fourth = await signedIn(String(rotated['key']));
    expect((await gateway.admin.delete(`/v1/admin/keys/${client.keyId}`)).status).toBe(200);
    expect(await statusIn(fourth)).toBe(401);
  });

  it('are known to every instance, but not where GATEWAY_ADMIN_KEY is another', async () => {
    const browser = await signedIn(gateway.adminKey);
    const other = await startGateway({
      joins: gateway,
      env: { GATEWAY_ADMIN_KEY: 'Zk81PqLm20XvRt7Yw3Hc9dAb', GATEWAY_KEY_PEPPER: PEPPER },
    });
    try {
      const headers = { cookie: browser.cookie };
      expect((await other.client('').get('/v1/admin/keys', { headers })).status).toBe(401);
      const client = await gateway.newClient();
      const member = await signedIn(client.key);
      const known = await other.client('').get('/v1/key', { headers: { cookie: member.cookie } });
      expect(known.body).toMatchObject({ id: client.keyId });
    } finally {
      await other.stop();
    }
  });

  it('are in the audit log, without their token', async () => {
    const client = await gateway.newClient({ name: 'audited' });
    const browser = await signedIn(client.key);
    await browser.send('DELETE', '/v1/session');
    const { body } = await gateway.admin.get(`/v1/admin/audit?action=session.*&actor=${client.keyId}`);
    expect((body['data'] as { action: string }[]).map(({ action }) => action)).toEqual([
      'session.ended',
      'session.started',
    ]);
    expect(JSON.stringify(body)).not.toContain(browser.cookie.split('.')[1]);
  });

  it('measure how long requests took', async () => {
    await gateway.admin.chat({ model: 'sandbox/echo' });
    let rows: LatencyRowListDto | undefined;
    await until(async () => {
      rows = await gateway.admin.read<LatencyRowListDto>('/v1/admin/usage/latency?interval=none&group_by=model');
      return rows.data.length > 0;
    });
    const [row] = rows?.data ?? [];
    expect(row).toMatchObject({ group: 'sandbox/echo', requests: expect.any(Number) as number });
    expect(row!.duration_ms.p50!).toBeLessThanOrEqual(row!.duration_ms.p99!);
    for (const interval of ['hour', 'day']) {
      const read = await gateway.admin.read<LatencyRowListDto>(`/v1/admin/usage/latency?interval=${interval}`);
      expect(read.data.length).toBeGreaterThan(0);
    }
    expect((await gateway.admin.get('/v1/admin/usage/latency?group_by=key')).status).toBe(400);
  });

  it('begin with a key alone where no identity provider is set up', async () => {
    const { body } = await gateway.client('').get('/v1/session/methods');
    expect(body).toEqual({ object: 'sign_in_methods', key: true, oidc: false });
    for (const path of ['/v1/session/oidc', '/v1/session/oidc/callback?code=x&state=y']) {
      const refused = await gateway.client('').get(path);
      expect([path, refused.status, refused.text.includes('console.oidc')]).toEqual([path, 404, true]);
    }
    const client = await gateway.newClient();
    expect((await client.get('/v1/session/keys')).status).toBe(404);
  });

  it('refuse an address after ten wrong keys, with a time to wait', async () => {
    const statuses: number[] = [];
    for (let each = 0; each < 11; each += 1) statuses.push((await newBrowser().signIn('gw_wrong')).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    const refused = await newBrowser().signIn(gateway.adminKey);
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThan(0);
    // Keys in headers are none of its business.
    expect((await gateway.admin.get('/v1/admin/keys')).status).toBe(200);
  });
});

describe('the console and its sessions switched off', () => {
  it('serve nothing', async () => {
    const gateway = await startGateway({ config: { console: { enabled: false } } });
    try {
      const browser = new Browser(gateway.client(''));
      expect((await browser.signIn(gateway.adminKey)).status).toBe(404);
      expect((await gateway.client('').get('/v1/session/methods')).status).toBe(404);
      for (const path of ['/', '/console', '/console/']) {
        const response = await gateway.client('').get(path, { headers: { accept: 'text/html' } });
        expect(response.status).toBe(404);
      }
    } finally {
      await gateway.stop();
    }
  });
});
