import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';

describe(`uploads in parts (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-uploads-'));
  const folder = join(directory, 'files');
  let gateway: RunningGateway;
  let openai: OpenAI;

  beforeAll(async () => {
    gateway = await startGateway({
      config: { sandbox: true, files: { max_size: '4MB', quota: '8MB' } },
      env: { GATEWAY_DATA_DIR: directory },
    });
    openai = sdkOf(await gateway.newClient());
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function sdkOf({ key }: GatewayClient): OpenAI {
    return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });
  }
  const create = (bytes: number, sdk = openai): Promise<OpenAI.Upload> =>
    sdk.uploads.create({ bytes, filename: 'requests.jsonl', mime_type: 'text/jsonl', purpose: 'batch' });
  const add = async (id: string, data: Buffer, sdk = openai): Promise<string> =>
    (await sdk.uploads.parts.create(id, { data: await toFile(data, 'part') })).id;

  it('live a whole life by the official client, with parts in the order that is named at the end', async () => {
    const content = randomBytes(3_000_000);
    const upload = await create(content.length);
    expect(upload).toMatchObject({ object: 'upload', status: 'pending', bytes: content.length, purpose: 'batch' });
    expect(upload.expires_at).toBe(upload.created_at + 3_600);
    // The second part first, and two of them at once.
    const [second, third] = await Promise.all([
      add(upload.id, content.subarray(1_000_000, 2_000_000)),
      add(upload.id, content.subarray(2_000_000)),
    ]);
    const first = await add(upload.id, content.subarray(0, 1_000_000));
    const md5 = createHash('md5').update(content).digest('hex');
    const done = await openai.uploads.complete(upload.id, { part_ids: [first, second, third], md5 });
    expect(done).toMatchObject({ status: 'completed', file: { object: 'file', bytes: content.length } });
    const { id } = done.file as OpenAI.FileObject;
    expect(Buffer.from(await (await openai.files.content(id)).arrayBuffer()).equals(content)).toBe(true);
    expect(readdirSync(folder)).toEqual([id]);
    await expect(add(upload.id, Buffer.from('x'))).rejects.toMatchObject({ status: 400 });
    await expect(openai.uploads.complete(upload.id, { part_ids: [first] })).rejects.toMatchObject({ status: 400 });
    await expect(openai.uploads.cancel(upload.id)).rejects.toMatchObject({ status: 400 });
    await openai.files.delete(id);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are completed once, however many ask at once, and cancelled without a rest', async () => {
    const upload = await create(4);
    const part = await add(upload.id, Buffer.from('abcd'));
    const all = await Promise.allSettled([1, 2, 3].map(() => openai.uploads.complete(upload.id, { part_ids: [part] })));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(folder)).toHaveLength(1);

    const other = await create(8);
    await add(other.id, Buffer.from('abcd'));
    expect(await openai.uploads.cancel(other.id)).toMatchObject({ status: 'cancelled', file: null });
    expect(await openai.uploads.cancel(other.id)).toMatchObject({ status: 'cancelled' });
    expect(readdirSync(folder)).toHaveLength(1);
    await expect(add(other.id, Buffer.from('x'))).rejects.toMatchObject({ status: 400 });
  });

  it('are refused with the field at fault, and leave nothing', async () => {
    const before = readdirSync(folder);
    const upload = await create(6);
    const part = await add(upload.id, Buffer.from('abcd'));
    await expect(add(upload.id, Buffer.from('efg'))).rejects.toMatchObject({ status: 400, param: 'data' });
    const rest = await add(upload.id, Buffer.from('ef'));
    const wrong = createHash('md5').update('other').digest('hex');
    for (const [body, param] of [
      [{ part_ids: [] }, 'part_ids'],
      [{ part_ids: [part] }, 'part_ids'],
      [{ part_ids: [part, part] }, 'part_ids[1]'],
      [{ part_ids: [part, 'part_none'] }, 'part_ids[1]'],
      [{ part_ids: [part, rest], md5: wrong }, 'md5'],
      [{ part_ids: [part, rest], md5: 'x' }, 'md5'],
    ] as const) {
      const refused = openai.uploads.complete(upload.id, body as unknown as OpenAI.UploadCompleteParams);
      await expect(refused).rejects.toMatchObject({ status: 400, param });
    }
    const other = sdkOf(await gateway.newClient());
    await expect(add(upload.id, Buffer.from('x'), other)).rejects.toMatchObject({ status: 404 });
    await expect(other.uploads.cancel(upload.id)).rejects.toMatchObject({ status: 404 });
    await openai.uploads.cancel(upload.id);
    expect(readdirSync(folder)).toEqual(before);
    await expect(create(4_300_000)).rejects.toMatchObject({ status: 400, param: 'bytes' });
    await expect(create(-1)).rejects.toMatchObject({ status: 400, param: 'bytes' });
    const own = sdkOf(await gateway.newClient());
    await create(4_000_000, own);
    await create(4_000_000, own);
    await expect(create(1_000_000, own)).rejects.toMatchObject({ status: 413, param: 'bytes' });
  });
});
