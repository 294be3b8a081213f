import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const QUOTA = '8MB';

describe(`files (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-files-'));
  const folder = join(directory, 'files');
  const orphan = join(folder, 'file-left-by-a-crash');
  let gateway: RunningGateway;
  let client: GatewayClient;
  let openai: OpenAI;

  beforeAll(async () => {
    mkdirSync(folder);
    writeFileSync(orphan, 'x');
    utimesSync(orphan, 0, 0);
    gateway = await startGateway({
      config: { sandbox: true, files: { max_size: '6MB', quota: QUOTA } },
      env: { GATEWAY_DATA_DIR: directory },
    });
    client = await gateway.newClient();
    openai = sdkOf(client);
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function sdkOf({ key }: GatewayClient): OpenAI {
    return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });
  }
  const upload = async (content: Buffer | string, name = 'a.jsonl', sdk = openai): Promise<OpenAI.FileObject> =>
    sdk.files.create({ file: await toFile(Buffer.from(content as string), name), purpose: 'batch' });

  it('live a whole life by the official client, with any bytes', async () => {
    const content = randomBytes(3 * 1024 * 1024);
    const created = await upload(content, 'some "lines" ü.jsonl');
    expect(created).toMatchObject({ object: 'file', bytes: content.length, purpose: 'batch', expires_at: null });
    expect(created.id).toMatch(/^file-[\da-f]{24}$/);
    expect(await openai.files.retrieve(created.id)).toEqual(created);
    const response = await openai.files.content(created.id);
    expect(response.headers.get('content-length')).toBe(String(content.length));
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    expect(statSync(join(folder, created.id)).mode & 0o777).toBe(0o600);
    expect(await openai.files.delete(created.id)).toEqual({ id: created.id, object: 'file', deleted: true });
    expect(readdirSync(folder)).not.toContain(created.id);
    await expect(openai.files.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
    await expect(openai.files.content(created.id)).rejects.toMatchObject({ status: 404 });
    await expect(openai.files.delete(created.id)).rejects.toMatchObject({ status: 404 });
  });

  it('are listed in pages, by order and purpose', async () => {
    const own = sdkOf(await gateway.newClient());
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push((await upload('x', 'x', own)).id);
    const other = await own.files.create({ file: await toFile(Buffer.from('x'), 'x'), purpose: 'user_data' });
    const listed: string[] = [];
    for await (const { id } of own.files.list({ limit: 2, purpose: 'batch' })) listed.push(id);
    expect([...listed].sort()).toEqual([...ids].sort());
    const reversed: string[] = [];
    for await (const { id } of own.files.list({ limit: 2, purpose: 'batch', order: 'asc' })) reversed.push(id);
    expect(reversed).toEqual([...listed].reverse());
    expect((await own.files.list({ purpose: 'user_data' })).data.map(({ id }) => id)).toEqual([other.id]);
    const [first, second, third] = listed as [string, string, string];
    await own.files.delete(second);
    for (const [order, next] of [
      ['desc', third],
      ['asc', first],
    ] as const) {
      const { data } = await own.files.list({ after: second, limit: 1, purpose: 'batch', order });
      expect(data.map(({ id }) => id)).toEqual([next]);
    }
    await expect(own.files.list({ after: 'file-x' })).rejects.toMatchObject({ status: 400 });
  });

  it('belong to their key', async () => {
    const { id } = await upload('mine');
    const other = sdkOf(await gateway.newClient());
    for (const attempt of [other.files.retrieve(id), other.files.content(id), other.files.delete(id)]) {
      await expect(attempt).rejects.toMatchObject({ status: 404 });
    }
    expect((await other.files.list()).data).toEqual([]);
    expect(await (await openai.files.content(id)).text()).toBe('mine');
  });

  it('expire when they were to', async () => {
    const file = await openai.files.create({
      file: await toFile(Buffer.from('x'), 'x'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    });
    expect(file.expires_at).toBe(file.created_at + 3_600);
  });

  it('that a crash left without a row are deleted', async () => {
    await until(() => !readdirSync(folder).includes('file-left-by-a-crash'));
  });

  it('stay within the quota of the key, however many come at once', async () => {
    const own = sdkOf(await gateway.newClient());
    const before = readdirSync(folder).length;
    const uploads = await Promise.allSettled(Array.from({ length: 4 }, () => upload(randomBytes(3_000_000), 'a', own)));
    expect(uploads.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const each of uploads) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ status: 413, param: 'file' });
    }
    expect(readdirSync(folder)).toHaveLength(before + 2);
    const [first] = (await own.files.list()).data;
    await own.files.delete(first!.id);
    await upload(randomBytes(3_000_000), 'a', own);
  });

  it('whose upload ends in the middle leave nothing, wherever it ends', async () => {
    const own = await gateway.newClient();
    const before = readdirSync(directory, { recursive: true }).sort();
    const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';
    const tail = '\r\n--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n';
    const whole = Buffer.concat([Buffer.from(head), randomBytes(1_000_000), Buffer.from(tail)]);
    for (const length of [10, head.length, head.length + 10, 700_000, whole.length - 20, whole.length - 1]) {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(
        `POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${own.key}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${whole.length}\r\n\r\n`,
      );
      await new Promise<void>((resolve) => socket.write(whole.subarray(0, length), () => resolve()));
      socket.destroy();
    }
    const names = (): string[] =>
      readdirSync(directory, { recursive: true })
        .map(String)
        .filter((name) => !name.includes('sqlite') && !name.includes('.db'))
        .sort();
    await until(
      () =>
        names().join() ===
        before
          .map(String)
          .filter((name) => !/sqlite|\.db/.test(name))
          .join(),
    );
    expect((await sdkOf(own).files.list()).data).toEqual([]);
  });

  it('are refused with the field at fault, and leave nothing', async () => {
    const before = readdirSync(folder);
    const formOf = (fields: Record<string, string | Blob>): FormData => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      return form;
    };
    const file = new Blob(['x']);
    for (const [form, status, param] of [
      [formOf({ purpose: 'batch' }), 400, 'file'],
      [formOf({ file }), 400, 'purpose'],
      [formOf({ file, purpose: 'none' }), 400, 'purpose'],
      [formOf({ file, purpose: 'batch', kind: 'x' }), 400, 'kind'],
      [formOf({ file: 'text', purpose: 'batch' }), 400, 'file'],
      [formOf({ file: new Blob([]), purpose: 'batch' }), 400, 'file'],
      [formOf({ file, purpose: 'batch', 'expires_after[anchor]': 'created_at' }), 400, 'expires_after[seconds]'],
      [formOf({ file: new Blob([randomBytes(7_000_000)]), purpose: 'batch' }), 413, null],
    ] as const) {
      const { status: got, body } = await client.post<{ error: { param: string | null } }>('/v1/files', form);
      expect({ got, param: body.error.param }).toEqual({ got: status, param });
    }
    expect((await client.post('/v1/files', { purpose: 'batch' })).status).toBe(415);
    expect(readdirSync(folder)).toEqual(before);
  });
});
