import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { DiskStorage } from '../../src/files/storage/disk-storage.js';
import type { FileStorage } from '../../src/files/storage/file-storage.js';
import { makeS3Storage } from '../../src/files/storage/s3-storage.js';
import { startGateway } from '../fixtures/gateway.js';
import { describeWithS3, startS3Server, type S3Server } from '../fixtures/s3-server.js';
import { until } from '../fixtures/until.js';

const BUCKET = 'gateway-files';
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
const MEGABYTE = 1024 * 1024;

async function* chunksOf(...chunks: (Uint8Array | Error)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    await Promise.resolve();
    if (chunk instanceof Error) throw chunk;
    yield Buffer.from(chunk);
  }
}
async function contentOf(storage: FileStorage, id: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of storage.read(id)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
async function listed(storage: FileStorage, time: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of storage.listBefore(time)) ids.push(id);
  return ids.sort();
}

describeWithS3('the storage of files')('the storage of files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-storage-'));
  let server: S3Server;
  let endpoint: string;
  const unfinished = (): Promise<number> => server.unfinished();

  beforeAll(async () => {
    server = await startS3Server(BUCKET);
    ({ endpoint } = server);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const storages: [name: string, make: () => FileStorage][] = [
    ['disk', () => new DiskStorage(join(directory, 'disk'))],
    [
      's3',
      () => {
        const cloud = { region: 'us-east-1', accessKeyId: 'test', secretAccessKey: 'test' };
        return makeS3Storage({ bucket: BUCKET, endpoint, pathStyle: true, prefix: 'tests/', cloud });
      },
    ],
  ];

  describe.each(storages)('on %s', (name, make) => {
    it('returns content of any size as it was, over the bounds of parts as well', async () => {
      const storage = make();
      const part = 8 * MEGABYTE;
      for (const size of [0, 1, 70_000, part - 1, part, part + 1, 2 * part, 2 * part + 5_000]) {
        const content = randomBytes(size);
        const chunks: Buffer[] = [];
        for (let start = 0; start < size; start += 1_000_003) chunks.push(content.subarray(start, start + 1_000_003));
        await storage.write('file-a', chunksOf(...chunks));
        expect([size, (await contentOf(storage, 'file-a')).equals(content)]).toEqual([size, true]);
      }
    });

    it('keeps nothing of content that ends early', async () => {
      const storage = make();
      const before = await listed(storage, Infinity);
      for (const size of [10, 9 * MEGABYTE, 20 * MEGABYTE]) {
        await expect(storage.write('file-b', chunksOf(Buffer.alloc(size), new Error('gone')))).rejects.toMatchObject({
          status: 503,
        });
      }
      expect(await listed(storage, Infinity)).toEqual(before);
      await expect(contentOf(storage, 'file-b')).rejects.toMatchObject({ status: 404 });
      if (name === 's3') expect(await unfinished()).toBe(0);
      else expect(readdirSync(join(directory, 'disk')).filter((each) => each.includes('.part'))).toEqual([]);
    });

    it('says 404 for what is not there, and for an id that leads elsewhere', async () => {
      for (const id of ['file-none', '../secret', '', 'a/b', '.', '..', 'a\0', 'a?b']) {
        await expect(contentOf(make(), id)).rejects.toMatchObject({ status: 404 });
      }
    });

    it('lists what is older than a time, and deletes it, more than once', async () => {
      const storage = make();
      await storage.write('file-c', chunksOf(Buffer.from('c')));
      expect(await listed(storage, Date.now() - 60_000)).not.toContain('file-c');
      expect(await listed(storage, Date.now() + 60_000)).toContain('file-c');
      await storage.delete('file-c');
      await storage.delete('file-c');
      expect(await listed(storage, Date.now() + 60_000)).not.toContain('file-c');
    });
  });

  it('in a bucket serves files and batches, and a process that is killed within a multipart upload leaves one to abort', async () => {
    const settings = {
      config: {
        sandbox: true,
        files: { s3: { bucket: BUCKET, endpoint, path_style: true, prefix: 'gateway/' } },
      },
      env: KEYS,
      dataDirectory: join(directory, 'gateway'),
    };
    mkdirSync(settings.dataDirectory);
    const gateway = await startGateway(settings);
    const client = await gateway.newClient();
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: client.key, maxRetries: 0 });
    const content = randomBytes(20 * MEGABYTE);
    const { id } = await openai.files.create({ file: await toFile(content, 'large.bin'), purpose: 'user_data' });
    expect(Buffer.from(await (await openai.files.content(id)).arrayBuffer()).equals(content)).toBe(true);
    expect(readdirSync(join(directory, 'gateway'))).not.toContain('files');

    const body = { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hello' }] };
    const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body };
    const input = await openai.files.create({
      file: await toFile(Buffer.from(JSON.stringify(line)), 'x'),
      purpose: 'batch',
    });
    let batch = await openai.batches.create({
      input_file_id: input.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    });
    await until(async () => (batch = await openai.batches.retrieve(batch.id)).status === 'completed');
    expect(batch.request_counts).toEqual({ total: 1, completed: 1, failed: 0 });

    const large = openai.files.create({ file: await toFile(randomBytes(100 * MEGABYTE), 'x'), purpose: 'user_data' });
    large.catch(() => undefined);
    await until(async () => (await unfinished()) > 0);
    await gateway.stop('SIGKILL');
    await expect(large).rejects.toThrow();
    expect(await unfinished()).toBe(1);
    const [, make] = storages[1] ?? [];
    expect(make).toBeDefined();
    const cloud = { region: 'us-east-1', accessKeyId: 'test', secretAccessKey: 'test' };
    const storage = makeS3Storage({ bucket: BUCKET, endpoint, pathStyle: true, prefix: 'gateway/', cloud });
    // As the sweeper does an hour later.
    expect(await listed(storage, Date.now() + 60_000)).toEqual([id, input.id].sort());
    expect(await unfinished()).toBe(0);
  });
});
