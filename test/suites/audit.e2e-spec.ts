import { randomBytes } from 'node:crypto';
import type { KeyWithSecretDto } from '../../src/admin/keys/key.dto.js';
import type { GroupDto } from '../../src/admin/groups/groups.dto.js';
import type { RequestLogEntryDto } from '../../src/request-log/request-log.dto.js';
import type { GatewayClient, Method } from '../clients/gateway-client.js';
import type { Json } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, NO_REAL_PROVIDER } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

const SECRET_PROMPT = 'prompt-4f1c-that-no-audit-entry-holds';

/** Routes that show neither prompts nor responses and change nothing. A new route has to be put here or among the audited. */
const PLAIN = [
  'GET /v1/admin/keys',
  'GET /v1/admin/keys/{id}',
  'GET /v1/admin/groups',
  'GET /v1/admin/groups/{id}',
  'GET /v1/admin/audit',
  'GET /v1/admin/request-log',
  'GET /v1/admin/batches',
  'GET /v1/admin/batches/{job_id}',
  'GET /v1/admin/configuration',
  'GET /v1/admin/configuration/changes',
  'GET /v1/admin/configuration/changes/{id}',
  'GET /v1/admin/configuration/file',
  'POST /v1/admin/configuration/file/check',
  'GET /v1/admin/deployments',
  'GET /v1/admin/instances',
  'GET /v1/admin/known-providers',
  'GET /v1/admin/providers',
  'GET /v1/admin/sessions',
  'GET /v1/admin/usage/latency',
  'GET /v1/admin/usage',
  'GET /v1/admin/usage/records',
];

describe('the audit log', () => {
  let gateway: RunningGateway;
  let auditor: GatewayClient;

  beforeAll(async () => {
    gateway = await startGateway({
      config: {
        sandbox: true,
        config: { editable: true },
        models: [model('limited', 'sandbox/lorem', { limits: { rpm: 1 } })],
      },
      env: { ...NO_REAL_PROVIDER, GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('hex') },
    });
    auditor = await gateway.newClient({ scopes: ['admin', 'inference'] });
  });
  afterAll(() => gateway.stop());

  const newKey = (fields: object = {}): Promise<KeyWithSecretDto> =>
    gateway.admin.createKey({ name: 'old name', ...fields });
  const newGroup = (): Promise<GroupDto> => gateway.admin.createGroup({ name: 'old name' });
  async function loggedCall(): Promise<{ keyId: string; entryId: string }> {
    const key = await newKey({ request_log: { days: 1 } });
    const messages = [{ role: 'user', content: SECRET_PROMPT }];
    expect((await gateway.client(key.key).chat({ messages })).status).toBe(200);
    let entries: RequestLogEntryDto[] = [];
    await until(async () => {
      entries = await gateway.admin.pages(`/v1/admin/request-log?key_id=${key.id}`);
      return entries.length > 0;
    });
    return { keyId: key.id, entryId: entries[0]!.id };
  }

  /** A job that does not end meanwhile: its model has no room for more than one call a minute. */
  const newBatch = (): Promise<string> =>
    gateway.admin.submitBatch(
      'limited',
      Array.from({ length: 20 }, () => SECRET_PROMPT),
    );
  const onBatch = async (step: string, action: string, body?: object): ReturnType<(typeof AUDITED)[string]> => {
    const target = await newBatch();
    return { path: `/v1/admin/batches/${target}${step}`, target, action, ...(body !== undefined && { body }) };
  };

  let edits = 0;
  const newEdit = async (): Promise<{ path: string; body: { text: string; version: string } }> => {
    const path = '/v1/admin/configuration/file';
    const { text, version } = await gateway.admin.read<{ text: string; version: string }>(path);
    return { path, body: { text: `${text}# edit ${String((edits += 1))}\n`, version } };
  };

  /** Each makes what it needs, and gives the path and the body of the call and what its entry says. */
  const AUDITED: Record<string, () => Promise<{ path: string; body?: object; target?: string; action: string }>> = {
    'POST /v1/admin/keys': () =>
      Promise.resolve({ path: '/v1/admin/keys', body: { name: 'made' }, action: 'key.created' }),
    'PATCH /v1/admin/keys/{id}': async () => {
      const target = (await newKey()).id;
      return { path: `/v1/admin/keys/${target}`, body: { name: 'new name' }, target, action: 'key.updated' };
    },
    'POST /v1/admin/keys/{id}/rotate': async () => {
      const target = (await newKey()).id;
      return { path: `/v1/admin/keys/${target}/rotate`, body: {}, target, action: 'key.rotated' };
    },
    'DELETE /v1/admin/keys/{id}': async () => {
      const target = (await newKey()).id;
      return { path: `/v1/admin/keys/${target}`, target, action: 'key.revoked' };
    },
    'GET /v1/admin/keys/export': () =>
      Promise.resolve({ path: '/v1/admin/keys/export', target: 'all', action: 'key.exported' }),
    'POST /v1/admin/keys/import': () => {
      const target = `key_${randomBytes(8).toString('hex')}`;
      const key = `sk-${randomBytes(16).toString('hex')}`;
      const body = { keys: [{ id: target, name: 'imported', key }] };
      return Promise.resolve({ path: '/v1/admin/keys/import', body, target, action: 'key.imported' });
    },
    'POST /v1/admin/keys/purge': async () => {
      const target = (await newKey()).id;
      await gateway.admin.revokeKey(target);
      return { path: '/v1/admin/keys/purge', body: { retention_days: 0 }, target, action: 'key.purged' };
    },
    'POST /v1/admin/keys/{id}/budget/reset': async () => {
      const target = (await newKey({ budget: { usd: 1, period: 'day' } })).id;
      return { path: `/v1/admin/keys/${target}/budget/reset`, body: {}, target, action: 'key.budget_reset' };
    },
    'POST /v1/admin/groups/{id}/budget/reset': async () => {
      const target = (await gateway.admin.createGroup({ budget: { usd: 1, period: 'day' } })).id;
      const path = `/v1/admin/groups/${target}/budget/reset`;
      return { path, body: { credit: 2 }, target, action: 'group.budget_credited' };
    },
    'POST /v1/admin/groups': () =>
      Promise.resolve({ path: '/v1/admin/groups', body: { name: 'made' }, action: 'group.created' }),
    'PATCH /v1/admin/groups/{id}': async () => {
      const target = (await newGroup()).id;
      return { path: `/v1/admin/groups/${target}`, body: { name: 'new name' }, target, action: 'group.updated' };
    },
    'DELETE /v1/admin/groups/{id}': async () => {
      const target = (await newGroup()).id;
      return { path: `/v1/admin/groups/${target}`, target, action: 'group.deleted' };
    },
    'POST /v1/admin/providers/{name}/test': () =>
      Promise.resolve({
        path: '/v1/admin/providers/sandbox/test',
        body: {},
        target: 'sandbox',
        action: 'provider.tested',
      }),
    'POST /v1/admin/known-providers/{name}/test': () =>
      Promise.resolve({
        path: '/v1/admin/known-providers/openai/test',
        body: { api_key: 'sk-of-an-operator' },
        target: 'openai',
        action: 'provider.key_tested',
      }),
    'POST /v1/admin/deployments/drain': () =>
      Promise.resolve({
        path: '/v1/admin/deployments/drain',
        body: { deployment: 'sandbox/slow', reason: 'maintenance' },
        target: 'sandbox/slow',
        action: 'deployment.drained',
      }),
    'POST /v1/admin/deployments/enable': async () => {
      await gateway.admin.make('/v1/admin/deployments/drain', { deployment: 'sandbox/cut' });
      return {
        path: '/v1/admin/deployments/enable',
        body: { deployment: 'sandbox/cut' },
        target: 'sandbox/cut',
        action: 'deployment.enabled',
      };
    },
    'PUT /v1/admin/configuration/file': async () => ({ ...(await newEdit()), action: 'configuration.edited' }),
    'POST /v1/admin/configuration/changes/{id}/restore': async () => {
      const { path, body } = await newEdit();
      const { id } = await gateway.admin.sendOk<{ id: string }>('PUT', path, body);
      const { body: next } = await newEdit();
      const { version } = await gateway.admin.sendOk<{ version: string }>('PUT', path, next);
      return {
        path: `/v1/admin/configuration/changes/${id}/restore`,
        body: { version },
        action: 'configuration.restored',
      };
    },
    'DELETE /v1/admin/sessions/{id}': async () => {
      const key = await newKey();
      const { id } = await gateway.client('').make<{ id: string }>('/v1/session', { key: key.key });
      return { path: `/v1/admin/sessions/${id}`, target: id, action: 'session.ended' };
    },
    'GET /v1/admin/request-log/{id}': async () => {
      const { entryId } = await loggedCall();
      return { path: `/v1/admin/request-log/${entryId}`, target: entryId, action: 'request_log.read' };
    },
    'DELETE /v1/admin/request-log/{id}': async () => {
      const { entryId } = await loggedCall();
      return { path: `/v1/admin/request-log/${entryId}`, target: entryId, action: 'request_log.deleted' };
    },
    'GET /v1/admin/batches/{job_id}/results': () => onBatch('/results', 'batch.read'),
    'POST /v1/admin/batches/{job_id}/cancel': () => onBatch('/cancel', 'batch.cancelled', {}),
    'POST /v1/admin/batches/{job_id}/pause': () => onBatch('/pause', 'batch.paused', {}),
    'POST /v1/admin/batches/{job_id}/resume': async () => {
      const target = await newBatch();
      await gateway.admin.make(`/v1/admin/batches/${target}/pause`);
      return { path: `/v1/admin/batches/${target}/resume`, body: {}, target, action: 'batch.resumed' };
    },
    'PATCH /v1/admin/batches/{job_id}': () => onBatch('', 'batch.updated', { priority: 'high' }),
    'DELETE /v1/admin/request-log': async () => {
      const { keyId } = await loggedCall();
      return { path: `/v1/admin/request-log?key_id=${keyId}`, target: keyId, action: 'request_log.deleted' };
    },
  };

  it('knows of each admin route whether it is audited', async () => {
    const { paths } = await gateway.admin.read<{ paths: Record<string, Json> }>('/docs-json');
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const adminRoutes = routes.filter((route) => route.includes(' /v1/admin/'));
    expect(adminRoutes.sort()).toEqual([...PLAIN, ...Object.keys(AUDITED)].sort());
    // It changes nothing: the text that it checks may be too long for an address.
    const checks = ['POST /v1/admin/configuration/file/check'];
    expect(PLAIN.filter((route) => !route.startsWith('GET '))).toEqual(checks);
  });

  it.each(Object.keys(AUDITED))('has an entry of %s', async (route) => {
    const { path, body, target, action } = await AUDITED[route]!();
    const before = Math.floor(Date.now() / 1_000) - 2;
    const [method = ''] = route.split(' ');
    const response = await auditor.sendOk(method as Method, path, body);
    const entries = await gateway.admin.audit(`actor=${auditor.keyId}&target_id=${target ?? String(response['id'])}`);
    const [entry, ...others] = entries;
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ actor: auditor.keyId, action, target_type: action.split('.')[0] });
    expect(entry?.created_at).toBeGreaterThanOrEqual(before);
    if (body !== undefined && 'name' in body) expect(entry?.changes).toMatchObject(body);
    if (action === 'batch.updated') expect(entry?.before).toEqual({ priority: 'normal' });
    else if (action.endsWith('.updated')) expect(entry?.before).toEqual({ name: 'old name' });
    if (action === 'key.revoked') expect(entry?.before).toEqual({ revoked_at: null });
    if (action === 'group.deleted') expect(entry?.before).toMatchObject({ name: 'old name' });
    expect(JSON.stringify(entries)).not.toContain(SECRET_PROMPT);
    if (typeof response['key'] === 'string') expect(JSON.stringify(entries)).not.toContain(response['key']);
  });

  it('has no entry of what was refused', async () => {
    const total = (await gateway.admin.audit('limit=100')).length;
    for (const [method, path] of [
      ['DELETE', '/v1/admin/keys/key_0000000000000000'],
      ['DELETE', '/v1/admin/request-log/rlog_000000000000000000000000'],
      ['GET', '/v1/admin/request-log/rlog_000000000000000000000000'],
    ] as const) {
      expect((await auditor.send(method, path)).status).toBe(404);
    }
    expect(await gateway.admin.audit('limit=100')).toHaveLength(total);
  });

  it('is filtered by action and time, and given as CSV with all pages', async () => {
    const from = Math.floor(Date.now() / 1_000);
    for (let each = 0; each < 3; each += 1) await newGroup();
    const key = await newKey({ name: '=formula, "quoted"' });
    const actionsOf = async (query: string): Promise<string[]> =>
      (await gateway.admin.audit(`limit=100&start=${from}&${query}`)).map(({ action }) => action);
    expect(new Set(await actionsOf('action=group.created'))).toEqual(new Set(['group.created']));
    expect(new Set(await actionsOf('action=key.*'))).toEqual(new Set(['key.created']));
    expect(await actionsOf(`end=${from}`)).toEqual([]);
    expect(await actionsOf('end=2001-02-03')).toEqual([]);
    const csv = await gateway.admin.get(`/v1/admin/audit?limit=1&start=${from}&target_id=${key.id}`, {
      headers: { accept: 'text/csv' },
    });
    expect(csv.header('content-type')).toBe('text/csv; charset=utf-8');
    const [head, ...lines] = csv.text.trimEnd().split('\r\n');
    expect(head).toBe('id,created_at,date,actor,action,target_type,target_id,changes,before');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`key.created,key,${key.id},"{""name"":""=formula, \\""quoted\\""""}",`);
    for (const query of ['action=key', 'action=KEY.created', 'start=yesterday', 'end=2026-13-01']) {
      const { status, body } = await gateway.admin.get(`/v1/admin/audit?${query}`);
      expect([query, status, body.error?.param]).toEqual([query, 400, query.split('=')[0]]);
    }
  });

  it('has an entry of a configuration that was taken over', async () => {
    process.kill(gateway.pid, 'SIGHUP');
    await until(async () => {
      const entries = await gateway.admin.audit('actor=operator');
      return entries.some(
        ({ action, changes }) => action === 'configuration.reloaded' && changes['reason'] === 'SIGHUP',
      );
    });
  });
});
