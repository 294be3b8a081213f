import { randomBytes } from 'node:crypto';
import type { KeyWithSecretDto } from '../../src/admin/keys/key.dto.js';
import type {
  RequestLogContentDto,
  RequestLogEntryDto,
  RequestLogListDto,
} from '../../src/request-log/request-log.dto.js';
import { startExpectingFailure, startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';

interface Entry extends Omit<RequestLogContentDto, 'request' | 'answer' | 'usage'> {
  request: { messages?: { content: string }[]; user?: string };
  answer: { choices?: { content: string; finish_reason: string }[] } | null;
  usage: { total_tokens: number } | null;
}

const PROMPT = 'my-words-81c2 to ada@example.com';

describe('the request log', () => {
  const encryptionKey = randomBytes(32).toString('base64');
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway({ env: { GATEWAY_REQUEST_LOG_KEY: encryptionKey } });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const createKey = (setting: object | null): Promise<KeyWithSecretDto> =>
    gateway.admin.createKey({ request_log: setting });
  /** @returns the request's id */
  const chat = async (key: string, fields: object = {}): Promise<string> =>
    (await gateway.client(key).chat({ messages: [{ role: 'user', content: PROMPT }], ...fields })).header(
      'x-request-id',
    );
  const list = (query: string): Promise<RequestLogListDto> => gateway.admin.read(`/v1/admin/request-log?${query}`);
  async function entries(keyId: string, count: number): Promise<RequestLogEntryDto[]> {
    await until(async () => (await list(`key_id=${keyId}`)).data.length >= count);
    return (await list(`key_id=${keyId}`)).data;
  }
  const read = (id: string): Promise<Entry> => gateway.admin.read(`/v1/admin/request-log/${id}`);
  /** The table as it lies in the database. */
  const stored = async (): Promise<string> =>
    JSON.stringify(await queryDatabase(gateway.databaseUrl, 'SELECT * FROM request_log'));

  it('keeps plain answers, streams and failures of a key that asks for it, encrypted, and of no other', async () => {
    const { id, key, request_log: setting } = await createKey({ days: 30 });
    expect(setting).toEqual({ days: 30, redact: [] });
    const silent = await createKey(null);
    await chat(silent.key);
    const requestId = await chat(key, { user: 'u-1' });
    await chat(key, { stream: true });
    await chat(key, { model: 'sandbox/error-500' });
    const listed = await entries(id, 3);
    expect(listed.map(({ model, status }) => [model, status])).toEqual([
      ['sandbox/error-500', 'failed'],
      ['sandbox/echo', 'succeeded'],
      ['sandbox/echo', 'succeeded'],
    ]);
    expect(JSON.stringify(listed)).not.toContain('my-words');
    const [failed, streamed, plain] = await Promise.all(listed.map((entry) => read(entry.id)));
    expect(plain).toMatchObject({
      request_id: requestId,
      key_id: id,
      operation: 'chat',
      request: { user: 'u-1' },
      error: null,
    });
    for (const entry of [plain!, streamed!]) {
      expect(entry.request.messages).toEqual([{ role: 'user', content: PROMPT }]);
      expect(entry.answer?.choices).toMatchObject([{ content: PROMPT, finish_reason: 'stop' }]);
      expect(entry.usage?.total_tokens).toBeGreaterThan(0);
    }
    expect(failed).toMatchObject({ answer: null, error: { code: 'upstream_error' } });
    const raw = await stored();
    expect(raw).toContain(requestId);
    expect(raw).not.toContain('my-words');
    expect(raw).not.toContain(Buffer.from('my-words').toString('base64').slice(0, 8));
    expect((await list(`key_id=${silent.id}`)).data).toEqual([]);
    expect(gateway.logs()).not.toContain('my-words');
  });

  it('takes out what the key’s setting names', async () => {
    const { id, key } = await createKey({ days: 1, redact: ['email'] });
    await chat(key);
    const [entry] = await entries(id, 1);
    const { request, answer: response } = await read(entry!.id);
    expect(request.messages?.[0]?.content).toBe('my-words-81c2 to [email]');
    expect(response?.choices?.[0]?.content).toBe('my-words-81c2 to [email]');
    const body = { request_log: { days: 1, redact: ['prompt', 'answer'] } };
    expect((await gateway.admin.updateKey(id, body)).status).toBe(200);
    await chat(key);
    const [newest] = await entries(id, 2);
    const without = await read(newest!.id);
    expect(JSON.stringify(without)).not.toContain('my-words');
    expect(without.usage?.total_tokens).toBeGreaterThan(0);
  });

  it('keeps tasks of batches', async () => {
    const { id, key } = await createKey({ days: 1 });
    await gateway.client(key).submitBatch('sandbox/echo', ['one', 'two', 'three']);
    const listed = await entries(id, 3);
    const contents = await Promise.all(
      listed.map(async (entry) => (await read(entry.id)).answer?.choices?.[0]?.content),
    );
    expect(contents.sort()).toEqual(['one', 'three', 'two']);
  });

  it('is listed in pages and by filters, and deleted by entry and by key', async () => {
    const { id, key } = await createKey({ days: 1 });
    for (let call = 0; call < 5; call += 1) await chat(key);
    const all = (await entries(id, 5)).map((entry) => entry.id);
    const first = await list(`key_id=${id}&limit=3`);
    const second = await list(`key_id=${id}&limit=3&after=${first.next}`);
    expect([...first.data, ...second.data].map((entry) => entry.id)).toEqual(all);
    expect([first.has_more, second.has_more]).toEqual([true, false]);
    expect((await list(`key_id=${id}&status=failed`)).data).toEqual([]);
    expect((await list(`key_id=${id}&model=sandbox/echo&start=1`)).data).toHaveLength(5);
    expect((await list(`key_id=${id}&end=1`)).data).toEqual([]);
    expect((await gateway.admin.get('/v1/admin/request-log?start=5&end=5')).status).toBe(400);
    expect((await gateway.admin.delete(`/v1/admin/request-log/${all[0]}`)).status).toBe(200);
    expect((await gateway.admin.get(`/v1/admin/request-log/${all[0]}`)).status).toBe(404);
    expect((await gateway.admin.delete(`/v1/admin/request-log/${all[0]}`)).status).toBe(404);
    expect((await gateway.admin.delete('/v1/admin/request-log')).status).toBe(400);
    const deleted = await gateway.admin.delete(`/v1/admin/request-log?key_id=${id}`);
    expect(deleted.body).toEqual({ object: 'request_log.deleted', deleted: 4 });
    expect((await list(`key_id=${id}`)).data).toEqual([]);
    expect((await gateway.client(key).get('/v1/admin/request-log')).status).toBe(403);
  });

  it('outlives a stop and a change of the encryption key, which is then needed', async () => {
    const { id, key } = await createKey({ days: 1 });
    await chat(key);
    const again = { dataDirectory: gateway.dataDirectory, joins: gateway };
    const env = { GATEWAY_KEY_PEPPER: '' };
    const next = randomBytes(32).toString('hex');
    // No time to write before the signal: what waits is written at shutdown. A second process reads it beside the first.
    const both = await startGateway({
      ...again,
      env: { ...env, GATEWAY_REQUEST_LOG_KEY: next, GATEWAY_REQUEST_LOG_PREVIOUS_KEYS: encryptionKey },
    });
    const [entry] = await entries(id, 1);
    expect((await both.admin.get(`/v1/admin/request-log/${entry!.id}`)).status).toBe(200);
    await both.stop();
    const without = await startGateway({ ...again, env: { ...env, GATEWAY_REQUEST_LOG_KEY: next } });
    const response = await without.admin.get(`/v1/admin/request-log/${entry!.id}`);
    expect(response.status).toBe(409);
    expect(response.text).toContain('GATEWAY_REQUEST_LOG_PREVIOUS_KEYS');
    await without.stop();
  });

  (isPostgresRun ? it.skip : it)(
    'is a clear error without an encryption key, or with a bad one or a bad setting',
    async () => {
      const { code, stderr } = await startExpectingFailure({ env: { GATEWAY_REQUEST_LOG_KEY: 'secret' } });
      expect(code).toBe(1);
      expect(stderr).toContain('GATEWAY_REQUEST_LOG_KEY: must be 32 random bytes in hex or base64');
      for (const [setting, param] of [
        [{ days: 0 }, 'request_log.days'],
        [{ days: 5, redact: ['everything'] }, 'request_log.redact'],
        [{ days: 5, forever: true }, 'request_log.forever'],
      ] as const) {
        const response = await gateway.admin.post('/v1/admin/keys', { name: 'x', request_log: setting });
        expect(response.status).toBe(400);
        expect(response.body).toMatchObject({ error: { param: expect.stringContaining(param) as string } });
      }
      const plain = await startGateway();
      const refused = await plain.admin.post('/v1/admin/keys', { name: 'x', request_log: { days: 1 } });
      expect(refused.status).toBe(400);
      expect(refused.body).toMatchObject({
        error: { param: 'request_log', message: expect.stringContaining('GATEWAY_REQUEST_LOG_KEY') as string },
      });
      await plain.stop();
    },
  );
});
