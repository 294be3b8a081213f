import { randomBytes } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError, notFound } from '../../errors/gateway-error.js';
import { storageFault } from '../../errors/storage-fault.js';
import { objectOf } from '../../runtime/json-value.js';
import { FileStorage } from './file-storage.js';

/** Bytes of one read. */
const READ_BYTES = 256 * 1024;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Ends the names of files that are being written. */
const UNFINISHED = '.part';
/** Ids are names of files, so nothing that leads elsewhere is one. */
const ID = /^[\w-]{1,64}$/;

/** Files in one folder of the disk, which several processes may share. */
export class DiskStorage extends FileStorage {
  constructor(private readonly folder: string) {
    super();
  }

  async write(id: string, content: AsyncIterable<Buffer>): Promise<void> {
    const path = this.pathOf(id);
    const unfinished = `${path}.${randomBytes(6).toString('hex')}${UNFINISHED}`;
    try {
      await mkdir(this.folder, { recursive: true, mode: FOLDER_MODE });
      const file = await open(unfinished, 'wx', FILE_MODE);
      try {
        for await (const chunk of content) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error instanceof GatewayError ? error : storageFault(error);
    }
  }

  async *read(id: string): AsyncGenerator<Buffer> {
    const file = await open(this.pathOf(id), 'r').catch((error: unknown) => {
      if (isMissing(error)) throw notFound(`The content of the file '${id}' is not on this machine.`);
      throw storageFault(error);
    });
    try {
      for (;;) {
        const buffer = Buffer.allocUnsafe(READ_BYTES);
        const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async delete(id: string): Promise<void> {
    await rm(this.pathOf(id), { force: true });
  }

  async *listBefore(time: number): AsyncGenerator<string> {
    const folder = await opendir(this.folder).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw storageFault(error);
    });
    if (folder === undefined) return;
    for await (const { name } of folder) {
      const path = join(this.folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || found.mtimeMs >= time) continue;
      if (name.endsWith(UNFINISHED)) await rm(path, { force: true });
      else if (ID.test(name)) yield name;
    }
  }

  private pathOf(id: string): string {
    if (!ID.test(id)) throw notFound('There is no such file.');
    return join(this.folder, id);
  }
}

function isMissing(error: unknown): boolean {
  return objectOf(error)['code'] === 'ENOENT';
}
