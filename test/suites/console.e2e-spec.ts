import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { answerOneByOne, shiftsOf, watchShifts } from '../fixtures/layout-shifts.js';
import type { RequestLogListDto } from '../../src/request-log/request-log.dto.js';
import { MAX_SUMS_ENTRIES } from '../../src/usage/report/usage-query.dto.js';
import type { UsageRecordListDto } from '../../src/usage/report/usage-record.dto.js';
import { accessibilityFaults, startBrowser, type TestBrowser } from '../fixtures/browser.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price, UNREACHABLE } from '../fixtures/gateway-config.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { until } from '../fixtures/until.js';

/** Compressed bytes of the first page. */
const MAX_FIRST_LOAD_BYTES = 350_000;
const SESSION = 'session-of-the-tree';
const PAGES = [
  ['/', 'Overview'],
  ['/requests', 'Requests'],
  [`/requests/session?id=${SESSION}`, 'Session'],
  ['/usage', 'Usage and cost'],
  ['/batches', 'Batches'],
  ['/start', 'First run'],
  ['/playground', 'Playground'],
  ['/keys', 'Keys'],
  ['/groups', 'Groups'],
  ['/models', 'Models and providers'],
  ['/models?tab=deployments', 'Models and providers'],
  ['/models?tab=providers', 'Models and providers'],
  ['/configuration', 'Configuration'],
  ['/configuration?tab=edit', 'Configuration'],
  ['/configuration?tab=history', 'Configuration'],
  ['/audit', 'Audit'],
  ['/settings', 'Gateway and sessions'],
] as const;

/** Runs in the page: compressed bytes of the console's files. */
const FIRST_LOAD_BYTES = `performance.getEntriesByType('resource')
  .filter(({ name }) => name.includes('/console/'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`;

describe('the console', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let browser: TestBrowser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      env: { GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('hex') },
      config: {
        sandbox: true,
        config: { editable: true },
        providers: { down: UNREACHABLE, fake: openAiAt(upstream) },
        models: [
          model('priced', 'sandbox/echo', { price: price(50_000, 50_000) }),
          model('rescued', ['down/x', 'sandbox/echo'], { strategy: 'priority' }),
        ],
      },
    });
    browser = await startBrowser(gateway.url);
    context = await browser.newContext();
    page = await context.newPage();
    await signIn(page, gateway.adminKey);
  });
  afterAll(async () => {
    await browser.stop();
    await gateway.stop();
    await upstream.stop();
  });
  afterEach(() => expect(browser.faults).toEqual([]));

  async function signIn(where: Page, key: string): Promise<void> {
    await where.goto(`${gateway.url}/`);
    await where.getByLabel('Key').fill(key);
    await where.getByRole('button', { name: 'Sign in' }).click();
    await where.locator('nav').waitFor({ state: 'attached' });
  }
  const open = async (path: string, where = page): Promise<void> => {
    await where.goto(`${gateway.url}/console${path}`);
    await where.getByRole('heading', { level: 1 }).waitFor();
  };
  /** A property of the element that has the focus. */
  const focused = (property: string): Promise<string> =>
    page.evaluate<string>(`String(document.activeElement.${property})`);
  const settled = (where = page): Promise<void> => where.waitForLoadState('networkidle');

  it('is what a browser gets at /, under a policy that allows nothing inline; programs get what they got', async () => {
    const html = await gateway.client('').get('/', { headers: { accept: 'text/html,*/*' } });
    expect([html.status, html.header('location')]).toEqual([302, '/console/']);
    for (const accept of ['*/*', 'application/json']) {
      expect((await gateway.client('').get('/', { headers: { accept } })).status).toBe(404);
    }
    const index = await gateway.client('').get('/console/keys');
    expect(index.status).toBe(200);
    expect(index.header('cache-control')).toBe('no-cache');
    const policy = index.header('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:/);
    expect(index.text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|style=|\bon\w+=/);
    const asset = /\/console\/assets\/[\w.-]+\.js/.exec(index.text)?.[0] ?? '';
    const script = await gateway.client('').get(asset);
    expect(script.header('cache-control')).toBe('public, max-age=31536000, immutable');
    const again = await gateway.client('').get(asset, { headers: { 'if-none-match': script.header('etag') } });
    expect(again.status).toBe(304);
    expect((await gateway.client('').get('/console/assets/none.js')).status).toBe(404);
    expect((await gateway.client('').post('/console/', {})).status).toBe(404);
  });

  it('refuses a wrong key with a message and the id of the request', async () => {
    const fresh = await browser.newContext();
    const other = await fresh.newPage();
    await other.goto(`${gateway.url}/console/`);
    await other.getByLabel('Key').fill('gw_wrong');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByText(/not valid here.*req_/).waitFor();
    expect(await accessibilityFaults(other)).toEqual([]);
    await fresh.close();
  });

  it('keeps no key in the browser', async () => {
    const stored = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(stored).not.toContain(gateway.adminKey);
    expect(stored).not.toContain('sess_');
  });

  it('leads from nothing to a response in a client', async () => {
    await open('/start');
    await page.getByRole('button', { name: 'Say hello' }).click();
    await page.getByText(/It works/).waitFor();
    await page.getByRole('button', { name: 'Create one' }).click();
    await until(async () => (await page.getByLabel('Key of the client').inputValue()).startsWith('gw_'));
    for (const name of ['curl', 'openai (Python)', 'Claude Code', 'Codex', 'opencode', 'LangChain', 'Cursor']) {
      await page.getByRole('tab', { name, exact: true }).click();
      await page.getByRole('tabpanel').getByText('gw_').first().waitFor();
      await page.getByRole('button', { name: 'Test it' }).click();
      await page
        .getByRole('tabpanel')
        .getByText(/It works/)
        .waitFor();
    }
  });

  it.each([true, false])('tests the key of the first provider, and switches it on (editable: %p)', async (editable) => {
    const fresh = await startGateway({
      config: { config: { editable } },
      env: { OPENAI_BASE_URL: `${upstream.url}/v1` },
    });
    const other = await startBrowser(fresh.url);
    const own = await other.newContext();
    const first = await own.newPage();
    try {
      await first.goto(`${fresh.url}/`);
      await first.getByLabel('Key').fill(fresh.adminKey);
      await first.getByRole('button', { name: 'Sign in' }).click();
      await first.locator('nav').waitFor({ state: 'attached' });
      await first.goto(`${fresh.url}/console/start`);
      const provider = first.getByLabel('Provider', { exact: true });
      await provider.selectOption('openrouter');
      expect(await first.getByLabel('Model to test it with').getAttribute('required')).not.toBeNull();
      await provider.selectOption('openai');
      await first.getByLabel('Key of the provider').fill("sk-typed-'in'-the-console");
      await first.getByRole('button', { name: 'Test the key' }).click();
      await first.getByText('The key works').waitFor();
      expect(await accessibilityFaults(first)).toEqual([]);
      if (!editable) {
        const command = await first.getByLabel('Command', { exact: true }).textContent();
        expect(command).toMatch(/^OPENAI_API_KEY=•+ npm start$/);
        await own.grantPermissions(['clipboard-read', 'clipboard-write']);
        await first.getByRole('button', { name: 'Copy: Command' }).click();
        const copied = (): Promise<string> => first.evaluate('navigator.clipboard.readText()');
        await until(async () => (await copied()) === `OPENAI_API_KEY='sk-typed-'\\''in'\\''-the-console' npm start`);
        return;
      }
      await first.getByRole('button', { name: 'Add OpenAI to gateway.yaml' }).click();
      await first.getByText(/^OpenAI is set up/).waitFor();
      // The sandbox is off where there is a provider; what is tried is one of its models.
      await until(async () => /^openai\//.test(await first.getByLabel('Model', { exact: true }).inputValue()));
      await first.getByRole('button', { name: 'Say hello' }).click();
      await first.getByText(/It works/).waitFor();
      const sent = (await upstream.requests()).at(-1);
      expect(sent?.headers['authorization']).toBe("Bearer sk-typed-'in'-the-console");
    } finally {
      await other.stop();
      await fresh.stop();
    }
    expect(other.faults).toEqual([]);
  });

  it('streams a chat, with a tool, beside a second model, and shows the raw events', async () => {
    await open('/playground?model=sandbox/echo&compare=sandbox/lorem');
    await page.getByLabel('Message').fill('one two three');
    await page.getByRole('button', { name: 'Send' }).click();
    const first = page.getByRole('region', { name: 'sandbox/echo' });
    await first.getByText(/tokens$/).waitFor();
    await until(async () => (await first.textContent())?.split('one two three').length === 3);
    await page
      .getByRole('region', { name: 'sandbox/lorem' })
      .getByText(/tokens$/)
      .waitFor();
    await first.getByRole('button', { name: 'Raw events' }).click();
    await first.getByText('[DONE]').waitFor();
    await first.getByRole('button', { name: 'Chat', exact: true }).click();
    await page.getByText('Settings', { exact: true }).click();
    await page.getByLabel('Offer a tool').check();
    await page.getByLabel('Message').fill('What is the weather?');
    await page.getByLabel('Message').press('Enter');
    await first.getByText(/get_weather\(\{/).waitFor();
    await page.getByRole('button', { name: 'Copy as code' }).click();
    await page
      .getByRole('dialog')
      .getByText(/curl .*\/v1\/chat\/completions/)
      .waitFor();
    await page.keyboard.press('Escape');
  });

  it('creates a key that is shown once, shows its spent budget, rotates and revokes it', async () => {
    await open('/keys');
    await page.getByRole('button', { name: 'Create a key' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('a small budget');
    await dialog.getByLabel('Budget in US dollars').fill('0.001');
    await dialog.getByRole('button', { name: 'Create the key' }).click();
    const key = (await dialog.getByLabel('Key of a small budget', { exact: true }).textContent()) ?? '';
    expect(key).toMatch(/^gw_/);
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    expect(await page.content()).not.toContain(key);

    const client = gateway.client(key);
    expect((await client.chat({ model: 'priced', max_tokens: 1 })).status).toBe(429);
    await gateway.admin.patch(`/v1/admin/keys/${client.keyId}`, { budget: { usd: 5, period: 'month' } });
    let served = 0;
    await until(async () => {
      const { status } = await client.chat({ model: 'priced', max_tokens: 1 });
      if (status === 200) served += 1;
      return status === 429;
    });
    expect(served).toBeGreaterThan(0);
    await open('/keys?name=small');
    await page.getByRole('button', { name: /Open a small budget/ }).click();
    await dialog.getByText('Resets').waitFor();
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await dialog.getByRole('button', { name: 'Rotate the key' }).click();
    const second = (await dialog.getByLabel('New secret', { exact: true }).textContent()) ?? '';
    expect(second).not.toBe(key);
    await dialog.getByRole('button', { name: 'I have copied it' }).click();
    await dialog.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Requests a minute').fill('77');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('77 requests/min').waitFor();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke the key' }).click();
    await dialog.getByText('revoked').first().waitFor();
    expect((await gateway.client(second).get('/v1/key')).status).toBe(401);
  });

  it('stores the prompts of a key for days, without what is to be removed, until that is switched off', async () => {
    await open('/keys?create=yes');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('keeps prompts');
    // What is removed is asked where something is stored.
    expect(await dialog.getByLabel('E-mail addresses').count()).toBe(0);
    await dialog.getByLabel('Days to store prompts and responses').fill('14');
    await dialog.getByLabel('E-mail addresses').check();
    await dialog.getByLabel('Keys and secrets').check();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create the key' }).click();
    const key = (await dialog.getByLabel('Key of keeps prompts', { exact: true }).textContent()) ?? '';
    const { keyId } = gateway.client(key);
    const setting = async (): Promise<unknown> =>
      (await gateway.admin.read<{ request_log: unknown }>(`/v1/admin/keys/${keyId}`)).request_log;
    expect(await setting()).toEqual({ days: 14, redact: ['email', 'secret'] });
    await dialog.getByRole('button', { name: 'I have copied it' }).click();

    await open('/keys?name=keeps');
    await page.getByRole('button', { name: /Open keeps prompts/ }).click();
    await dialog.getByText('For 14 days').waitFor();
    await dialog.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Keys and secrets').uncheck();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('For 14 days').waitFor();
    expect(await setting()).toEqual({ days: 14, redact: ['email'] });
    await dialog.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Requests a minute').fill('55');
    const saved = page.waitForRequest((request) => request.method() === 'PATCH');
    await dialog.getByRole('button', { name: 'Save' }).click();
    // What was not changed is not sent.
    expect((await saved).postDataJSON()).not.toHaveProperty('request_log');
    await dialog.getByText('55 requests/min').waitFor();
    await dialog.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Days to store prompts and responses').fill('');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByRole('button', { name: 'Edit' }).waitFor();
    expect(await setting()).toBeNull();
    await page.keyboard.press('Escape');
  });

  it('names the field of a mistake', async () => {
    await open('/keys?create=yes');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('x');
    await dialog.getByLabel('Models').fill('a//*b*');
    await dialog.getByLabel('Works until').fill('2020-01-01');
    await dialog.getByRole('button', { name: 'Create the key' }).click();
    await dialog
      .getByText(/allowed_models|expires_at/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('finds a request by its id, with the attempts that led to its response', async () => {
    const { header } = await gateway.admin.chat({ model: 'rescued' });
    const id = header('x-request-id');
    await until(async () => {
      const { data } = await gateway.admin.read<UsageRecordListDto>(`/v1/admin/usage/records?request_id=${id}`);
      return data.length > 0;
    });
    await open('/');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill(id);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Open request ${id}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Pale until the first byte').waitFor();
    expect(await dialog.textContent()).toContain('rescued');
    expect(page.url()).toContain(id);
    await page.keyboard.press('Escape');
    // The focus is where it was.
    await until(async () => (await focused('textContent')).includes('Open request'));
  });

  it('keeps both of two filters that change before the page has changed', async () => {
    await open('/requests?period=90d');
    await page.getByLabel('Status').waitFor();
    await page.evaluate(`{
      const status = document.querySelector('[aria-label=Status]');
      status.value = 'failed';
      status.dispatchEvent(new Event('change', { bubbles: true }));
      const model = document.querySelector('[aria-label=Model]');
      model.value = 'unknown';
      model.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    }`);
    await page.getByText('No request meets the filters').waitFor();
    const { searchParams } = new URL(page.url());
    expect(Object.fromEntries(searchParams)).toEqual({ period: '90d', status: 'failed', model: 'unknown' });
  });

  it('shows what the request log has of a request, and only when it is asked to', async () => {
    const client = await gateway.newClient({ request_log: { days: 1 } });
    const messages = [{ role: 'user', content: 'words that are kept' }];
    const { header } = await client.chat({ model: 'sandbox/echo', messages });
    const id = header('x-request-id');
    const log = `/v1/admin/request-log?request_id=${id}`;
    await until(async () => (await gateway.admin.read<RequestLogListDto>(log)).data.length === 1);
    const entry = (await gateway.admin.read<RequestLogListDto>(log)).data[0]?.id ?? '';
    await gateway.admin.usageRecord(({ request_id: each }) => each === id);
    await open(`/requests?request_id=${id}`);
    await page.getByRole('button', { name: `Open request ${id}` }).click();
    const dialog = page.getByRole('dialog');
    const show = dialog.getByRole('button', { name: 'Show the content' });
    await show.waitFor();
    expect(await gateway.admin.audit(`target_id=${entry}`)).toEqual([]);
    await show.click();
    await dialog.getByLabel('What the client sent', { exact: true }).getByText('words that are kept').waitFor();
    await dialog.getByLabel('What the provider returned', { exact: true }).getByText('words that are kept').waitFor();
    await dialog.getByText('The body that the gateway wrote for the provider is not kept.').waitFor();
    expect((await gateway.admin.audit(`target_id=${entry}`)).map(({ action }) => action)).toEqual(['request_log.read']);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });

  it('shows a session as a tree with its sums, from a request of it', async () => {
    const client = await gateway.newClient({ name: 'with a session' });
    const ask = async (agent: string, name = 'priced'): Promise<string> => {
      const headers = { 'x-session-id': SESSION, ...(agent !== '' && { 'x-agent-id': agent }) };
      const { header } = await client.chat({ model: name, max_tokens: 3 }, { headers });
      const id = header('x-request-id');
      await gateway.admin.usageRecord(({ request_id: each }) => each === id);
      return id;
    };
    const ids = [await ask(''), await ask('helper'), await ask(''), await ask('helper', 'fake/status-400')];
    const records = await gateway.admin.usageRecords(`session_id=${SESSION}`);
    const tokens = records.reduce((sum, record) => sum + record.total_tokens, 0);
    const cost = records.reduce((sum, record) => sum + (record.cost_usd ?? 0), 0);
    await open(`/requests?request_id=${ids[0] ?? ''}`);
    await page.getByRole('button', { name: `Open request ${ids[0] ?? ''}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The request log has no entry of it').waitFor();
    await dialog.getByRole('link', { name: SESSION }).click();
    await page.getByRole('heading', { level: 1, name: 'Session' }).waitFor();
    const tree = page.getByRole('list', { name: 'Requests of the session' });
    const order = async (where = tree): Promise<readonly string[]> =>
      (await where.getByRole('button').allTextContents()).map((text) => /req_\w+/.exec(text)?.[0] ?? text);
    await tree.getByRole('list', { name: 'Requests of agent helper' }).waitFor();
    // The helper stands where its first request does, with all of its requests.
    expect(await order()).toEqual([ids[0], ids[1], ids[3], ids[2]]);
    expect(await order(tree.getByRole('list', { name: 'Requests of agent helper' }))).toEqual([ids[1], ids[3]]);
    const figures = (await page.getByRole('main').locator('dl').textContent()) ?? '';
    expect(figures).toContain(`Requests4`);
    expect(figures).toContain(`Tokens${tokens}`);
    expect(figures).toContain(`Cost$${cost.toFixed(2)}`);
    await tree.getByRole('button').first().click();
    await dialog.getByText('Pale until the first byte').waitFor();
    await page.keyboard.press('Escape');
  });

  it('shows a batch, and saves its results', async () => {
    const tasks = [1, 2, 3].map((index) => ({
      custom_id: `line-${index}`,
      messages: [{ role: 'user', content: 'x' }],
    }));
    const submitted = await gateway.admin.post('/v1/batch/generate', { model: 'sandbox/echo', tasks });
    const job = String(submitted.body['job_id']);
    await open('/batches');
    await page.getByRole('button', { name: new RegExp(`Open batch ${job}`) }).click();
    const dialog = page.getByRole('dialog');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Download the results' }).click(),
    ]);
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { custom_id: string }).custom_id)).toEqual([
      'line-1',
      'line-2',
      'line-3',
    ]);
  });

  it('uploads a batch from a file, watches it, and runs its failed lines again', async () => {
    const lineOf = (id: string, name: string): string =>
      JSON.stringify({
        custom_id: id,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model: name, messages: [{ role: 'user', content: 'x' }] },
      });
    await open('/batches');
    await page.getByRole('button', { name: 'Upload a batch' }).first().click();
    const dialog = page.getByRole('dialog');
    const upload = async (text: string): Promise<void> =>
      dialog
        .getByLabel('JSONL file')
        .setInputFiles({ name: 'lines.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from(text) });
    await upload('[1, 2]');
    await dialog.getByText('Write each of its entries on a line of its own.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Submit the batch' }).isDisabled()).toBe(true);
    await upload([lineOf('good', 'sandbox/echo'), lineOf('bad', 'fake/status-400')].join('\n'));
    await dialog.getByText('The first line is for').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Submit the batch' }).click();
    await page.getByRole('heading', { name: /^batch_/ }).waitFor();
    await dialog.getByText('bad', { exact: true }).waitFor();
    const first = await page.getByRole('heading', { name: /^batch_/ }).textContent();
    await dialog.getByRole('button', { name: 'Run them again' }).click();
    await until(async () => {
      const now = await page.getByRole('heading', { name: /^batch_/ }).textContent();
      return now !== null && now !== first;
    });
    await dialog.getByText('0 of 1').or(dialog.getByText('1 of 1')).first().waitFor();
    await page.keyboard.press('Escape');
  });

  it('shows the configuration in force, without secrets', async () => {
    await open('/configuration');
    const file = page.getByLabel('gateway.yaml', { exact: true });
    await file.getByText('rescued').first().waitFor();
    expect(await file.textContent()).not.toContain(gateway.adminKey);
    await page.keyboard.press('/');
    await page.keyboard.type('ADMIN_KEY');
    await page.getByText('GATEWAY_ADMIN_KEY').waitFor();
    expect(await page.getByRole('main').textContent()).not.toContain(gateway.adminKey);
  });

  it('edits the configuration with a mistake and then right, and takes it back', async () => {
    await open('/configuration?tab=edit');
    const text = page.getByLabel('Text of gateway.yaml');
    const before = await text.inputValue();
    const review = page.getByRole('button', { name: 'Review changes' });
    expect(await review.isDisabled()).toBe(true);
    await text.fill(before.replace('id: rescued', 'id: renamed\n    strategi: priority'));
    await page.getByText('Did you mean strategy?').waitFor();
    expect(await review.isDisabled()).toBe(true);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: /^line \d+$/ }).click();
    expect(await focused('ariaLabel')).toBe('Text of gateway.yaml');
    await text.fill(before.replace('id: rescued', 'id: renamed'));
    await page.getByText('This can be applied.').waitFor();
    await review.click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('Changes').textContent()).toMatch(/- id: rescued[^]*- id: renamed/);
    await dialog.getByLabel('Reason').fill('a name that says more');
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Applied.', { exact: true }).waitFor();
    const served = async (): Promise<string> => (await gateway.admin.get('/v1/models')).text;
    expect(await served()).toContain('"renamed"');

    await page.getByRole('button', { name: 'History' }).click();
    await page.getByText('a name that says more').waitFor();
    await page
      .getByRole('button', { name: /^Compare/ })
      .last()
      .click();
    await dialog.getByText('- id: rescued').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Restore' }).click();
    await page.getByText('restored', { exact: true }).waitFor();
    expect(await served()).toContain('"rescued"');
    expect(await served()).not.toContain('"renamed"');
  });

  it('says that the file has changed where another edit was first', async () => {
    await open('/configuration?tab=edit');
    const text = page.getByLabel('Text of gateway.yaml');
    await text.fill(`${await text.inputValue()}# mine\n`);
    await page.getByText('This can be applied.').waitFor();
    const path = join(gateway.dataDirectory, 'gateway.yaml');
    writeFileSync(path, `${readFileSync(path, 'utf8')}# theirs\n`);
    await page.getByRole('button', { name: 'Review changes' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await dialog.getByText(/has changed since it was read/).waitFor();
    await dialog.getByRole('button', { name: 'Discard mine and read again' }).click();
    await until(async () => (await text.inputValue()).endsWith('# theirs\n'));
  });

  it('shows the failed lines of a batch', async () => {
    const tasks = [{ custom_id: 'that-fails', messages: [{ role: 'user', content: 'x' }] }];
    const { body } = await gateway.admin.post('/v1/batch/generate', { model: 'fake/status-400', tasks });
    await open('/batches');
    await page.getByRole('button', { name: new RegExp(`Open batch ${String(body['job_id'])}`) }).click();
    await page.getByRole('dialog').getByText('that-fails').waitFor();
    await page.keyboard.press('Escape');
  });

  it('shows spend by key, providers that work and that do not, and who changed what', async () => {
    await open('/usage?by=key');
    await page.getByRole('table', { name: 'Usage' }).getByText('a small budget').waitFor();
    await open('/models?tab=providers');
    await page.getByRole('button', { name: 'Test sandbox' }).click();
    await page.getByText(/^Works: /).waitFor();
    await page.getByRole('button', { name: 'Test down' }).click();
    await page
      .getByText(/not reach|refused|could not|failed/i)
      .first()
      .waitFor();
    await open('/audit?kind=key');
    await page
      .getByRole('button', { name: /Open key\.updated/ })
      .first()
      .click();
    await page.getByRole('dialog').getByText('Asked for').waitFor();
    await page.keyboard.press('Escape');
  });

  it('drains a deployment after it has said what happens, shows who did it and why, and uses it again', async () => {
    await open('/models?tab=deployments');
    await page.getByRole('button', { name: 'Drain down/x', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/gets no new request.*Requests of rescued go to other deployments/).waitFor();
    expect(await dialog.getByRole('alert').count()).toBe(0);
    await dialog.getByLabel('Reason').fill('the console says so');
    await dialog.getByLabel('For how long').selectOption('3600');
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Drain', exact: true }).click();
    await page.getByText('down/x is drained.').waitFor();
    await page.getByText(/until .*the console says so/).waitFor();
    const stateOf = async (id: string) => (await gateway.admin.deployments()).find((each) => each.id === id);
    const drain = (await stateOf('down/x'))?.drain;
    expect(drain).toMatchObject({ actor: 'admin', reason: 'the console says so', is_stale: false });
    expect((drain?.expires_at ?? 0) - (drain?.created_at ?? 0)).toBe(3_600);
    await open('/');
    const wrong = page.getByRole('region', { name: 'What is wrong now' });
    await wrong
      .getByText(/down\/x is drained|\d+ more/)
      .first()
      .waitFor();
    const more = wrong.getByRole('button', { name: /more/ });
    if (await more.isVisible()) await more.click();
    await wrong.getByText('down/x is drained').waitFor();
    await open('/models?tab=deployments');
    // The last one of its models in service.
    await page.getByRole('button', { name: 'Drain sandbox/echo', exact: true }).click();
    await dialog
      .getByRole('alert')
      .getByText(/priced, rescued have no other deployment in service/)
      .waitFor();
    await dialog.getByRole('button', { name: 'Keep as it is' }).click();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Re-enable down/x', exact: true }).click();
    await dialog.getByRole('button', { name: 'Re-enable', exact: true }).click();
    await page.getByText('down/x is in service again.').waitFor();
    await page.getByRole('button', { name: 'Drain down/x', exact: true }).waitFor();
    expect((await stateOf('down/x'))?.drain).toBeNull();
  });

  it('lists sessions, and one that is ended has to sign in again', async () => {
    const elsewhere = await browser.newContext();
    const other = await elsewhere.newPage();
    await signIn(other, await gateway.apiKey({ name: 'ends', scopes: ['inference', 'admin'] }));
    await open('/settings');
    await page.getByRole('button', { name: 'End' }).first().click();
    await page.getByText('The session is ended.').waitFor();
    await other.getByRole('link', { name: 'Keys' }).click();
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
    await elsewhere.close();
  });

  it('shows a member its own key and requests, and no page of administrators', async () => {
    const client = await gateway.newClient({ name: 'a member of the team', limits: { rpm: 90 } });
    await client.chat({ model: 'sandbox/echo' });
    const own = await browser.newContext();
    const other = await own.newPage();
    await signIn(other, client.key);
    await other.getByRole('heading', { name: 'a member of the team' }).waitFor();
    await other.getByText('90 requests/min').waitFor();
    expect(await other.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await open('/requests', other);
    await other.getByRole('table', { name: 'Requests' }).getByText('sandbox/echo').waitFor();
    expect(await accessibilityFaults(other)).toEqual([]);
    await own.close();
  });

  it('says what failed when the gateway refuses, and offers to try again', async () => {
    await context.route('**/v1/admin/groups*', (route) =>
      route.fulfill({
        status: 503,
        headers: { 'x-request-id': 'req_of_the_failure' },
        contentType: 'application/json',
        body: JSON.stringify({
          error: { message: 'The database is away.', type: 'server_error', param: null, code: 'database_unavailable' },
        }),
      }),
    );
    await open('/groups');
    await page.getByText('The database is away.').waitFor();
    await page.getByText('req_of_the_failure').waitFor();
    await context.unroute('**/v1/admin/groups*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('No groups yet').waitFor();
  });

  it('is used by keyboard alone', async () => {
    await open('/keys');
    await page.keyboard.press('/');
    expect(await focused('ariaLabel')).toBe('Filter by name');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('overv');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await open('/');
    await page.keyboard.press('Tab');
    expect(await focused('textContent')).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    expect(await focused('id')).toBe('main');
  });

  describe.each([
    [360, 'light'],
    [1024, 'light'],
    [1680, 'dark'],
  ] as const)('at %d pixels, %s', (width, theme) => {
    let pages: BrowserContext;
    let view: Page;

    beforeAll(async () => {
      pages = await browser.newContext({ width, theme });
      view = await pages.newPage();
      await signIn(view, gateway.adminKey);
    });
    afterAll(() => pages.close());

    it.each(PAGES)('%s fits, and axe finds nothing', async (path, title) => {
      await open(path, view);
      await view.getByRole('heading', { level: 1, name: title }).waitFor();
      await settled(view);
      expect(await view.evaluate<number>('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      expect(await accessibilityFaults(view)).toEqual([]);
    });

    it.each(PAGES)('%s moves nothing while its data arrives, in whichever order', async (path) => {
      for (const order of ['first', 'last'] as const) {
        const slow = await pages.newPage();
        await watchShifts(slow);
        await answerOneByOne(slow, order);
        await open(path, slow);
        await settled(slow);
        expect(await shiftsOf(slow)).toEqual([]);
        await slow.close();
      }
    });
  });

  it('saves usage as CSV with all of its groups, also those beyond a page of the API', async () => {
    const users = Array.from({ length: MAX_SUMS_ENTRIES + 5 }, (_, index) => `user-${String(index)}`);
    for (let from = 0; from < users.length; from += 30) {
      await Promise.all(
        users.slice(from, from + 30).map((user) => gateway.admin.chat({ model: 'sandbox/echo', user })),
      );
    }
    await until(async () => {
      const { data } = await gateway.admin.read<UsageRecordListDto>(
        `/v1/admin/usage/records?user=${users.at(-1) ?? ''}`,
      );
      return data.length === 1;
    });
    await open('/usage?by=user');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    const [head = '', ...lines] = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\r\n');
    const column = head.split(',').indexOf('group');
    const saved = lines.map((line) => line.split(',')[column]);
    expect(saved).toEqual(expect.arrayContaining(users));
    expect(download.suggestedFilename()).toBe('usage-by-user.csv');
  });

  it('loads little', async () => {
    const fresh = await browser.newContext();
    const other = await fresh.newPage();
    await signIn(other, gateway.adminKey);
    await other.goto(`${gateway.url}/console/`);
    await other.getByRole('heading', { level: 1 }).waitFor();
    await settled(other);
    const bytes = await other.evaluate<number>(FIRST_LOAD_BYTES);
    console.log(`first load: ${bytes} bytes compressed`);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThan(MAX_FIRST_LOAD_BYTES);
    await fresh.close();
  });
});
