import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DiskStorage } from './disk-storage.js';

describe('the storage of files on the disk', () => {
  const parent = mkdtempSync(join(tmpdir(), 'files-'));
  const folder = join(parent, 'files');
  const storage = new DiskStorage(folder);
  afterAll(() => rmSync(parent, { recursive: true, force: true }));

  async function* chunksOf(...chunks: (Uint8Array | Error)[]): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      await Promise.resolve();
      if (chunk instanceof Error) throw chunk;
      yield Buffer.from(chunk);
    }
  }
  async function contentOf(id: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of storage.read(id)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
  async function listed(time: number): Promise<string[]> {
    const ids: string[] = [];
    for await (const id of storage.listBefore(time)) ids.push(id);
    return ids.sort();
  }

  it('returns any content, which its owner alone can read on the disk', async () => {
    const chunk = fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.constantFrom(1, 3, 20_000));
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), async (parts) => {
        const chunks = parts.map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)));
        await storage.write('file-a', chunksOf(...chunks));
        expect((await contentOf('file-a')).equals(Buffer.concat(chunks))).toBe(true);
        expect(statSync(join(folder, 'file-a')).mode & 0o777).toBe(0o600);
        expect(statSync(folder).mode & 0o777).toBe(0o700);
      }),
      { numRuns: 15 },
    );
  });

  it('keeps nothing of content that ends early', async () => {
    const before = readdirSync(folder);
    await expect(storage.write('file-b', chunksOf(Buffer.from('a'), new Error('gone')))).rejects.toMatchObject({
      status: 503,
    });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('says 404 for what is not there, and for an id that leads elsewhere', async () => {
    for (const id of ['file-none', '../secret', '', 'a/b', '.', '..', 'a\0']) {
      await expect(contentOf(id)).rejects.toMatchObject({ status: 404 });
    }
  });

  it('lists what is older than a time, and deletes it, more than once', async () => {
    await storage.write('file-c', chunksOf(Buffer.from('c')));
    const written = statSync(join(folder, 'file-c')).mtimeMs;
    expect(await listed(written)).not.toContain('file-c');
    expect(await listed(written + 1_000)).toContain('file-c');
    await storage.delete('file-c');
    await storage.delete('file-c');
    expect(await listed(written + 1_000)).not.toContain('file-c');
    expect(
      await (async () => {
        const ids: string[] = [];
        for await (const id of new DiskStorage(join(parent, 'none')).listBefore(Infinity)) ids.push(id);
        return ids;
      })(),
    ).toEqual([]);
  });
});
