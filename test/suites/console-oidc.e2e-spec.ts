import { readFileSync } from 'node:fs';
import type { KeyListDto } from '../../src/admin/keys/key.dto.js';
import type { AuditEntryListDto } from '../../src/audit/audit.dto.js';
import type { EndedSessionDto, OwnSessionDto, SessionListDto } from '../../src/console/session.dto.js';
import type { UsageRecordListDto } from '../../src/usage/report/usage-record.dto.js';
import { CookieBrowser, type Visit } from '../clients/cookie-browser.js';
import type { Method, RequestBody } from '../clients/gateway-client.js';
import type { GatewayResponse, Json } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';
import { startIdentityProvider, type IdentityProvider, type Person } from '../upstreams/identity-provider.js';

/** How browsers reach the gateway: behind a proxy that ends TLS. */
const SITE = 'https://gateway.test';
const CALLBACK = `${SITE}/v1/session/oidc/callback`;
const SECRET = 'a secret of the registration: 100% + more';
/** Of all instances on one database. */
const PEPPER = 'k3J9sQ1xV7bN5mZ0pL2wR8tY4uD6fG1h';
/** What viewers do not read: the text of gateway.yaml has more than the configuration in force. */
const ADMINISTRATORS_ONLY = [
  '/v1/admin/configuration/file',
  '/v1/admin/configuration/changes',
  '/v1/admin/configuration/changes/x',
];
const ROLES = { admin: ['platform-admins'], viewer: ['finance'], member: ['staff'] };

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
const { paths } = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as Document;
/** Every operation of the document, with ids that nothing has. */
const OPERATIONS = Object.entries(paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => [method.toUpperCase() as Method, path.replaceAll(/\{[^}]+\}/g, 'x')] as const),
);

/** A person in front of a browser. */
class SignedIn {
  constructor(
    private readonly gateway: RunningGateway,
    private readonly browser: CookieBrowser,
    readonly visit: Visit,
  ) {}

  get cookie(): string {
    return this.browser.cookie(SITE, 'gateway_session') ?? '';
  }

  async send<Body = Json>(method: Method, path: string, body?: RequestBody): Promise<GatewayResponse<Body>> {
    const headers: Record<string, string> = { cookie: this.cookie };
    if (method !== 'GET') headers['x-csrf-token'] = (await this.session()).csrf_token;
    return this.gateway.client('').send<Body>(method, path, body, { headers });
  }

  async read<Body>(path: string): Promise<Body> {
    const { status, body } = await this.send<Body>('GET', path);
    expect([path, status]).toEqual([path, 200]);
    return body;
  }

  async session(): Promise<OwnSessionDto> {
    const { body } = await this.gateway
      .client('')
      .get<OwnSessionDto>('/v1/session', { headers: { cookie: this.cookie } });
    return body;
  }
}

describe(`sign-in by OpenID Connect (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let provider: IdentityProvider;
  let gateway: RunningGateway;

  beforeAll(async () => {
    provider = await startIdentityProvider({ clientId: 'gateway', clientSecret: SECRET, redirectBase: SITE });
    gateway = await startGateway({
      config: {
        sandbox: true,
        config: { editable: true },
        console: {
          oidc: {
            issuer: provider.issuer,
            client_id: 'gateway',
            client_secret: '${OIDC_CLIENT_SECRET}',
            redirect_base: SITE,
            roles: ROLES,
          },
        },
      },
      env: { OIDC_CLIENT_SECRET: SECRET, GATEWAY_KEY_PEPPER: PEPPER },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

  const newBrowser = (): CookieBrowser => new CookieBrowser({ [SITE]: gateway.url });
  let people = 0;
  async function signIn(person: Person, subject = `subject-${String((people += 1))}`): Promise<SignedIn> {
    provider.people.set(subject, person);
    provider.signInAs(subject);
    const browser = newBrowser();
    return new SignedIn(gateway, browser, await browser.open(`${SITE}/v1/session/oidc`));
  }
  const errorOf = ({ url }: Visit): string | null => url.searchParams.get('sign_in_error');

  it('is offered, and leads through the provider to the console with a session', async () => {
    expect((await gateway.client('').get('/v1/session/methods')).body).toMatchObject({ key: true, oidc: true });
    const ada = await signIn({ email: 'Ada@Example.com', groups: ['staff', 'platform-admins'] });
    expect([ada.visit.status, ada.visit.url.href]).toEqual([200, `${SITE}/console/`]);
    const [, asked] = ada.visit.trail;
    expect(Object.fromEntries(asked?.searchParams ?? [])).toEqual({
      client_id: 'gateway',
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/) as string,
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
      nonce: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
    const session = await ada.session();
    expect(session).toMatchObject({ role: 'admin', name: 'ada@example.com', user: 'ada@example.com' });
    expect(session.key_id).toMatch(/^user_[0-9a-f]{24}$/);
    // What the browser kept for the way is taken away.
    expect(ada.visit.text).toContain('<div id="root">');
    expect(JSON.stringify(session)).not.toContain(SECRET);
    expect(gateway.logs()).not.toContain(SECRET);
  });

  it('gives an administrator what an admin key may do, with the CSRF token', async () => {
    const ada = await signIn({ email: 'ada@example.com', groups: 'platform-admins' });
    const made = await ada.send('POST', '/v1/admin/keys', { name: 'made by a person' });
    expect(made.status).toBe(201);
    const { key_id: id } = await ada.session();
    expect(made.body).toMatchObject({ created_by: id, parent_id: null });
    const chat = await ada.send('POST', '/v1/chat/completions', {
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: 'hello' }],
    });
    expect(chat.body).toMatchObject({ choices: [{ message: { content: 'hello' } }] });
    const { data } = await gateway.admin.read<AuditEntryListDto>(`/v1/admin/audit?actor=${id}`);
    expect(data.map(({ action }) => action)).toEqual(expect.arrayContaining(['key.created', 'session.started']));
    expect(data.find(({ action }) => action === 'session.started')).toMatchObject({
      changes: { user: 'ada@example.com', role: 'admin' },
    });
    expect((await ada.send('GET', '/v1/key')).status).toBe(404);
  });

  it('runs the batch of an administrator, also after they have signed out', async () => {
    const ada = await signIn({ email: 'ada@example.com', groups: ['platform-admins'] });
    const tasks = Array.from({ length: 20 }, () => ({ messages: [{ role: 'user', content: 'x' }] }));
    const { body } = await ada.send('POST', '/v1/batch/generate', { model: 'sandbox/echo', tasks });
    await ada.send('DELETE', '/v1/session');
    await until(async () => {
      const batch = await gateway.admin.read(`/v1/admin/batches/${String(body['job_id'])}`);
      expect(batch['failed_count']).toBe(0);
      return batch['completed_count'] === tasks.length;
    });
  });

  it('lets a viewer read everything that an administrator reads, and change nothing', async () => {
    const vera = await signIn({ email: 'vera@example.com', groups: ['finance'] });
    expect(await vera.session()).toMatchObject({ role: 'viewer', scopes: [] });
    const before = await gateway.admin.read<KeyListDto>('/v1/admin/keys?limit=100');
    const checked = { reads: 0, changes: 0 };
    for (const [method, path] of OPERATIONS) {
      if (path === '/v1/session') continue;
      if (method === 'GET') {
        if (!path.startsWith('/v1/admin/')) continue;
        checked.reads += 1;
        const { status } = await vera.send('GET', path);
        if (ADMINISTRATORS_ONLY.includes(path)) {
          expect([path, status]).toEqual([path, 403]);
          continue;
        }
        expect([path, [200, 400, 404, 409]]).toEqual([path, expect.arrayContaining([status])]);
      } else {
        checked.changes += 1;
        const { status, body } = await vera.send(method, path, {});
        const { error } = body as { error?: { message: string } };
        expect([method, path, status, error?.message]).toEqual([
          method,
          path,
          403,
          "The role 'viewer' reads and changes nothing. Ask for the role 'admin'.",
        ]);
      }
    }
    expect(checked.reads).toBeGreaterThan(15);
    expect(checked.changes).toBeGreaterThan(30);
    expect(await gateway.admin.read<KeyListDto>('/v1/admin/keys?limit=100')).toEqual(before);
    const list = await vera.read<KeyListDto>('/v1/admin/keys');
    expect(list.data.length).toBeGreaterThan(0);
    expect((await vera.send('GET', '/v1/admin/keys/export?hashes=true')).status).toBe(403);
  });

  it('shows a member the keys that they own and the usage of these, and nothing else', async () => {
    const own = await gateway.newClient({ name: 'of mia', owner: 'Mia@example.com' });
    const further = await gateway.newClient({ name: 'of mia, too', owner: 'mia@example.com' });
    const others = await gateway.newClient({ name: 'of noa', owner: 'noa@example.com' });
    for (const client of [own, further, others]) await client.chat({ model: 'sandbox/echo' });
    const mia = await signIn({ email: 'mia@example.com', groups: ['staff'] });
    expect(await mia.session()).toMatchObject({ role: 'member', scopes: [] });
    const keys = await mia.read<KeyListDto>('/v1/session/keys');
    expect(keys.data.map(({ id }) => id).sort()).toEqual([own.keyId, further.keyId].sort());
    expect(JSON.stringify(keys)).not.toContain('noa@example.com');
    await until(async () => (await mia.read<UsageRecordListDto>('/v1/key/usage/records')).data.length === 2);
    const records = await mia.read<UsageRecordListDto>('/v1/key/usage/records');
    expect(new Set(records.data.map(({ key_id: id }) => id))).toEqual(new Set([own.keyId, further.keyId]));
    const sums = await mia.read<{ data: { group: string; requests: number }[] }>(
      '/v1/key/usage?interval=none&group_by=key',
    );
    expect(sums.data.map(({ requests }) => requests)).toEqual([1, 1]);
    expect((await mia.send('GET', '/v1/key/usage?owner=noa@example.com')).status).toBe(400);
    for (const [method, path] of OPERATIONS.filter(([, each]) => each.startsWith('/v1/admin/'))) {
      const { status, body } = await mia.send(method, path, method === 'GET' ? undefined : {});
      const { error } = body as { error?: { code: string } };
      expect([method, path, status, error?.code]).toEqual([method, path, 403, 'insufficient_scope']);
    }
    const chat = await mia.send('POST', '/v1/chat/completions', { model: 'sandbox/echo', messages: [] });
    expect(chat.status).toBe(403);
    // The next owner sees it from the next request on.
    await gateway.admin.patch(`/v1/admin/keys/${own.keyId}`, { owner: 'noa@example.com' });
    expect((await mia.read<KeyListDto>('/v1/session/keys')).data.map(({ id }) => id)).toEqual([further.keyId]);
    const filtered = await gateway.admin.read<KeyListDto>('/v1/admin/keys?owner=NOA@example.com');
    expect(filtered.data.map(({ id }) => id).sort()).toEqual([own.keyId, others.keyId].sort());
    expect((await own.get('/v1/session/keys')).status).toBe(404);
  });

  it.each<[string, Person | null, string]>([
    ['no group that is mapped', { email: 'x@example.com', groups: ['platform-admins-of-another-team'] }, 'no_role'],
    ['no groups at all', { email: 'x@example.com' }, 'no_role'],
    ['no e-mail address', { groups: ['platform-admins'] }, 'claims'],
    [
      'an address that is not verified',
      { email: 'ada@example.com', email_verified: false, groups: ['platform-admins'] },
      'claims',
    ],
    ['declined', null, 'denied'],
  ])('is refused to a person with %s, with a reason and the id of the request', async (_name, person, code) => {
    const before = (await gateway.admin.read<SessionListDto>('/v1/admin/sessions?limit=100')).data.length;
    provider.people.set('refused', person ?? {});
    provider.signInAs(person === null ? null : 'refused');
    const browser = newBrowser();
    const visit = await browser.open(`${SITE}/v1/session/oidc`);
    expect([visit.status, errorOf(visit)]).toEqual([200, code]);
    const id = visit.url.searchParams.get('request_id') ?? 'none';
    await until(() => gateway.logs().includes(id));
    expect(browser.cookie(SITE, 'gateway_session')).toBeUndefined();
    expect((await gateway.admin.read<SessionListDto>('/v1/admin/sessions?limit=100')).data.length).toBe(before);
  });

  it('begins in the browser in which it ends: no code of another sign-in is taken', async () => {
    provider.people.set('mallory', { email: 'mallory@example.com', groups: ['platform-admins'] });
    provider.signInAs('mallory');
    // Mallory stops before the gateway gets the code, and gives its address to others.
    const mallory = newBrowser();
    const stolen = await addressWithCode(mallory);
    const victim = newBrowser();
    expect(errorOf(await victim.open(stolen))).toBe('expired');
    await victim.open(`${SITE}/v1/session/oidc`, 0);
    expect(errorOf(await victim.open(stolen))).toBe('expired');
    const forged = new URL(stolen);
    forged.searchParams.set('state', 'A'.repeat(43));
    expect(errorOf(await mallory.open(forged))).toBe('expired');
    for (const browser of [victim, mallory]) expect(browser.cookie(SITE, 'gateway_session')).toBeUndefined();
  });

  it('takes a code once, and no issuer or error that the provider did not send', async () => {
    provider.people.set('once', { email: 'once@example.com', groups: ['finance'] });
    provider.signInAs('once');
    const browser = newBrowser();
    const address = await addressWithCode(browser);
    const wrongIssuer = new URL(address);
    wrongIssuer.searchParams.set('iss', 'https://evil.example');
    expect(errorOf(await browser.open(wrongIssuer))).toBe('provider');
    for (const query of ['', '?', '?code=x', '?error=access_denied', `?code=x&state=${'a'.repeat(4_000)}`]) {
      const visit = await browser.open(CALLBACK + query);
      expect([query.length, errorOf(visit)]).toEqual([query.length, 'expired']);
    }
    expect(browser.cookie(SITE, 'gateway_session')).toBeUndefined();
    const signedIn = await signIn({ email: 'once@example.com', groups: ['finance'] }, 'once');
    const used = signedIn.visit.trail.find(({ pathname }) => pathname === new URL(CALLBACK).pathname);
    expect(errorOf(await browser.open(used ?? ''))).toBe('expired');
  });

  it('ends at the provider as well when the person signs out', async () => {
    const vera = await signIn({ email: 'vera@example.com', groups: ['finance'] });
    const { body, header, status } = await vera.send<EndedSessionDto>('DELETE', '/v1/session');
    expect(status).toBe(200);
    expect(header('set-cookie')).toContain('Max-Age=0');
    const url = new URL(body.end_session_url ?? '');
    expect(url.origin).toBe(provider.issuer);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${SITE}/console/`);
    expect(url.searchParams.get('id_token_hint')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await new CookieBrowser({}).open(url)).status).toBe(200);
    expect((await vera.send('GET', '/v1/admin/keys')).status).toBe(401);
  });

  it('has sessions that an administrator lists and ends, and that get the role of the latest sign-in', async () => {
    const first = await signIn({ email: 'max@example.com', groups: ['platform-admins'] }, 'max');
    expect((await first.send('GET', '/v1/admin/keys')).status).toBe(200);
    const second = await signIn({ email: 'max@example.com', groups: ['staff'] }, 'max');
    expect((await second.session()).key_id).toBe((await first.session()).key_id);
    expect((await first.send('GET', '/v1/admin/keys')).status).toBe(403);
    const { id } = await first.session();
    const { data } = await gateway.admin.read<SessionListDto>('/v1/admin/sessions?limit=100');
    expect(data.find((each) => each.id === id)).toMatchObject({ user: 'max@example.com' });
    expect((await gateway.admin.delete(`/v1/admin/sessions/${id}`)).status).toBe(200);
    expect([(await first.send('GET', '/v1/session')).status, (await second.send('GET', '/v1/session')).status]).toEqual(
      [401, 200],
    );
  });

  it('says so where the provider is away, and its people are not those of another', async () => {
    const other = await startGateway({
      joins: gateway,
      config: {
        console: {
          oidc: { issuer: 'http://127.0.0.1:9', client_id: 'gateway', redirect_base: SITE, roles: ROLES },
        },
      },
      env: { GATEWAY_KEY_PEPPER: PEPPER },
    });
    try {
      expect(errorOf(await new CookieBrowser({ [SITE]: other.url }).open(`${SITE}/v1/session/oidc`))).toBe('provider');
      const vera = await signIn({ email: 'vera@example.com', groups: ['finance'] });
      const headers = { cookie: vera.cookie };
      expect((await gateway.client('').get('/v1/session', { headers })).status).toBe(200);
      expect((await other.client('').get('/v1/session', { headers })).status).toBe(401);
    } finally {
      await other.stop();
    }
  });
});

/** Goes the way to the provider and back, up to the address with the code, which is not opened. */
async function addressWithCode(browser: CookieBrowser): Promise<URL> {
  let address = new URL(`${SITE}/v1/session/oidc`);
  for (;;) {
    const { location, text } = await browser.open(address, 0);
    if (location === undefined) throw new Error(`no redirect at ${address.href}: ${text.slice(0, 200)}`);
    if (location.href.startsWith(CALLBACK)) return location;
    address = location;
  }
}
