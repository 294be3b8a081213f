import { randomBytes } from 'node:crypto';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { changeDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';

/** Rows of a list that are there when it is read. */
const SEEDED_ROWS = 9;

interface Row {
  readonly id: string;
}

/** A list, and how its rows come and go. */
interface List {
  /** With a query that the pages add theirs to. */
  readonly path: string;
  /** What names a row in all pages. */
  readonly idOf: (row: never) => string;
  /** Adds a row. */
  readonly add: (number: number) => Promise<unknown>;
  /** Takes a row away, or makes it one that the list is not of. */
  readonly remove: (id: string) => Promise<unknown>;
}

const idOf = ({ id }: Row): string => id;

describe(`lists (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    gateway = await startGateway({ env: { GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('base64') } });
    client = await gateway.newClient({ request_log: { days: 5 } });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const admin = (): GatewayClient => gateway.admin;
  const deleteRow = (table: string, condition: string): Promise<void> =>
    changeDatabase(gateway.databaseUrl, `DELETE FROM ${table} WHERE ${condition}`);
  const submit = (): Promise<string> => client.submitBatch('sandbox/echo', ['hi']);
  const deleteJob = async (id: string): Promise<void> => {
    await client.endedBatch(id);
    await deleteRow('batch_job', `id = '${id}'`);
  };
  const chat = (user: string): Promise<unknown> => client.chat({ user });

  const LISTS: Record<string, () => List> = {
    'keys that are not revoked': () => ({
      path: '/v1/admin/keys?revoked=false&name=paged',
      idOf,
      add: () => admin().createKey({ name: 'paged' }),
      remove: (id) => admin().revokeKey(id),
    }),
    'keys of a name': () => ({
      path: '/v1/admin/keys?name=named',
      idOf,
      add: () => admin().createKey({ name: 'named' }),
      remove: (id) => admin().updateKey(id, { name: 'other' }),
    }),
    groups: () => ({
      path: '/v1/admin/groups?limit=2',
      idOf,
      add: () => admin().createGroup(),
      remove: (id) => admin().delete(`/v1/admin/groups/${id}`),
    }),
    'the batches of a key': () => ({
      path: '/v1/batch?limit=2',
      idOf: ({ job_id: id }: { job_id: string }) => id,
      add: submit,
      remove: deleteJob,
    }),
    'all batches': () => ({
      path: `/v1/admin/batches?key_id=${client.keyId}`,
      idOf: ({ job_id: id }: { job_id: string }) => id,
      add: submit,
      remove: deleteJob,
    }),
    'usage records': () => ({
      path: `/v1/admin/usage/records?key_id=${client.keyId}`,
      idOf,
      add: () => chat('records'),
      remove: (id) => deleteRow('usage_record', `id = '${id}'`),
    }),
    'sums of usage': () => ({
      path: `/v1/admin/usage?key_id=${client.keyId}&group_by=user,model&interval=none`,
      idOf: ({ group }: { group: string | null }) => group ?? '',
      add: (number) => chat(`user-${(number * 7) % 23}`),
      remove: (user) => deleteRow('usage_record', `end_user = '${user}'`),
    }),
    'sums of usage by key': () => ({
      path: '/v1/admin/usage?group_by=key&interval=none',
      idOf: ({ group }: { group: string | null }) => group ?? '',
      add: async () => {
        const other = await gateway.newClient();
        await other.chat({ model: 'sandbox/echo' });
      },
      remove: (key) => deleteRow('usage_record', `key_id = '${key}'`),
    }),
    'sums of usage by hour': () => ({
      path: `/v1/admin/usage?key_id=${client.keyId}&group_by=user&interval=hour`,
      idOf: ({ bucket, group }: { bucket: number; group: string | null }) => `${bucket} ${group}`,
      add: (number) => chat(`${(number * 7) % 23}-${'long'.repeat(100)}`.slice(0, number % 2 === 0 ? 60 : 250)),
      remove: (row) => deleteRow('usage_record', `end_user = '${row.split(' ')[1] ?? ''}'`),
    }),
    'the request log': () => ({
      path: `/v1/admin/request-log?key_id=${client.keyId}`,
      idOf,
      add: () => chat('logged'),
      remove: (id) => admin().delete(`/v1/admin/request-log/${id}`),
    }),
    'the audit log': () => ({
      path: '/v1/admin/audit?action=key.created',
      idOf,
      add: () => admin().createKey({ name: 'audited' }),
      remove: (id) => deleteRow('audit_entry', `id = '${id}'`),
    }),
  };

  async function idsOf(list: List, reader: GatewayClient): Promise<string[]> {
    const separator = list.path.includes('?') ? '&' : '?';
    return (await reader.pages(`${list.path}${separator}limit=100`.replace('limit=2&', ''))).map((row) =>
      list.idOf(row as never),
    );
  }

  it.each(Object.keys(LISTS))('shows each of %s that is there throughout exactly once', async (name) => {
    const list = LISTS[name]?.();
    if (list === undefined) throw new Error(name);
    const reader = list.path.startsWith('/v1/admin') ? admin() : client;
    const before = new Set(await idsOf(list, reader));
    for (let number = 0; number < SEEDED_ROWS; number += 1) await list.add(number);
    // Usage and the request log are written behind the response.
    await until(async () => (await idsOf(list, reader)).length >= Math.min(SEEDED_ROWS, before.size + SEEDED_ROWS));
    const throughout = new Set(await idsOf(list, reader));
    const all = [...throughout];
    expect(all.length).toBeGreaterThanOrEqual(SEEDED_ROWS);
    const seen: string[] = [];
    let after = '';
    for (let page = 0; ; page += 1) {
      const separator = list.path.includes('?') ? '&' : '?';
      const path = `${list.path}${list.path.includes('limit=') ? '' : `${separator}limit=2`}${after}`;
      const {
        data,
        next,
        has_more: hasMore,
      } = await reader.read<{
        data: never[];
        next: string | null;
        has_more: boolean;
      }>(path);
      const ids = data.map(list.idOf);
      seen.push(...ids);
      expect(hasMore).toBe(next !== null);
      if (next === null) break;
      after = `&after=${encodeURIComponent(next)}`;
      if (page > 2) continue;
      await list.add(SEEDED_ROWS + page);
      // The last row of the page, one before it, or one that is still to come.
      const gone = [ids.at(-1), ids[0], all.findLast((id) => !seen.includes(id) && throughout.has(id))][page % 3] ?? '';
      throughout.delete(gone);
      await list.remove(gone);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => throughout.has(id)).sort()).toEqual([...throughout].sort());
  });

  it('refuses a cursor that no page has given', async () => {
    for (const name of Object.keys(LISTS)) {
      const { path = '' } = LISTS[name]?.() ?? {};
      const reader = path.startsWith('/v1/admin') ? admin() : client;
      for (const cursor of ['nothing', '', 'user_1.5', 'key_', '5.5', `batch_${'0'.repeat(24)}`]) {
        const { status, body } = await reader.get(`${path}${path.includes('?') ? '&' : '?'}after=${cursor}`);
        expect([path, cursor, status, body.error?.param]).toEqual([path, cursor, 400, 'after']);
      }
    }
  });

  it('pages through the input of a response, also where a client gave items the same id', async () => {
    const input = Array.from({ length: 7 }, (_, index) => ({
      type: 'message',
      role: 'user',
      ...(index % 2 === 0 && { id: 'msg_same' }),
      content: [{ type: 'input_text', text: `text ${index}` }],
    }));
    const { id } = await client.make<Row>('/v1/responses', { model: 'sandbox/echo', input });
    for (const order of ['asc', 'desc'] as const) {
      const texts: string[] = [];
      let after = '';
      for (let page = 0; page < input.length; page += 1) {
        const { data, has_more, last_id } = await client.read<{
          data: { content: { text: string }[] }[];
          has_more: boolean;
          last_id: string;
        }>(`/v1/responses/${id}/input_items?order=${order}&limit=2${after}`);
        texts.push(...data.map(({ content: [part] }) => part?.text ?? ''));
        if (!has_more) break;
        after = `&after=${last_id}`;
      }
      const expected = input.map((_, index) => `text ${index}`);
      expect(texts).toEqual(order === 'asc' ? expected : expected.toReversed());
    }
  });
});
