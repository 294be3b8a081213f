import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { BodySpool } from './body-spool.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('BodySpool', () => {
  it('gives any stretch of what was written, as often as it is read, from memory and from its file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 }),
        fc.nat(120),
        fc.array(fc.tuple(fc.nat(700), fc.nat(700)), { maxLength: 4 }),
        async (chunks, memoryBytes, stretches) => {
          const spool = new BodySpool(directory, memoryBytes);
          for (const chunk of chunks) await spool.write(Buffer.from(chunk));
          const whole = Buffer.concat(chunks);
          expect(spool.size).toBe(whole.length);
          if (whole.length > memoryBytes) expect(spool.isOnDisk).toBe(true);
          expect(await collect(spool.read())).toEqual(whole);
          for (const [from, to] of stretches)
            expect(await collect(spool.read(from, to))).toEqual(whole.subarray(from, to));
          expect(readdirSync(directory)).toEqual([]);
          await spool.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps its file until the last reader is done, and two may read at once', async () => {
    const spool = new BodySpool(directory, 10);
    await spool.write(Buffer.alloc(200_000, 'a'));
    const [first, second] = [spool.read(), spool.read(100_000)];
    await first.next();
    await second.next();
    await spool.dispose();
    expect((await collect(second)).length).toBe(200_000 - 100_000 - 65_536);
    expect((await collect(first)).length).toBe(200_000 - 65_536);
    expect(spool.isOnDisk).toBe(false);
  });

  it('closes its file when a reader stops early', async () => {
    const spool = new BodySpool(directory, 10);
    await spool.write(Buffer.alloc(200_000, 'a'));
    for await (const _chunk of spool.read()) break;
    await spool.dispose();
    expect(spool.isOnDisk).toBe(false);
  });

  it('answers 503 where no file can be made', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const spool = new BodySpool(join(file, 'below'), 1);
    await expect(spool.write(Buffer.from('ab'))).rejects.toMatchObject({ status: 503, code: 'storage_unavailable' });
    rmSync(file);
  });
});
