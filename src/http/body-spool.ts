import { randomBytes } from 'node:crypto';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { storageFault } from '../errors/storage-fault.js';

/** Bytes of a body that stay in memory; a larger one goes to a file. */
export const SPOOL_MEMORY_BYTES = 256 * 1024;
/** Bytes of one read from the file. */
const READ_BYTES = 64 * 1024;

/**
 * Keeps a body so that it can be read more than once: a short one in memory, a longer one in a file. The file has no name from
 * the moment it is open, so that a crash leaves nothing behind. Reads are possible while nothing is being written.
 */
export class BodySpool {
  /** Bytes that have been written. */
  size = 0;
  private chunks: Buffer[] = [];
  private pending = 0;
  private flushed = 0;
  private file: FileHandle | undefined;
  private isDisposed = false;
  private readers = 0;

  /** @param directory where the file is made, which must be on a disk with room for large bodies */
  constructor(
    private readonly directory: string,
    private readonly memoryBytes = SPOOL_MEMORY_BYTES,
  ) {}

  /** Whether the body is too long for memory. */
  get isOnDisk(): boolean {
    return this.file !== undefined;
  }

  /**
   * Takes the next bytes. While the promise that it may give is pending, no more may be written.
   *
   * @throws GatewayError 507 when the disk is full, 503 when no file can be made or written
   */
  write(chunk: Buffer): Promise<void> | undefined {
    this.chunks.push(chunk);
    this.pending += chunk.length;
    this.size += chunk.length;
    return this.pending > this.memoryBytes ? this.flush() : undefined;
  }

  /** The bytes from `from` up to, not including, `to`, of which as many come as there are. */
  async *read(from = 0, to = this.size): AsyncGenerator<Buffer> {
    this.readers += 1;
    try {
      let position = from;
      const end = Math.min(to, this.size);
      while (position < Math.min(end, this.flushed)) {
        const bytes = await this.readFile(position, Math.min(READ_BYTES, Math.min(end, this.flushed) - position));
        position += bytes.length;
        yield bytes;
      }
      let start = this.flushed;
      for (const chunk of this.chunks) {
        const part = chunk.subarray(Math.max(0, position - start), Math.max(0, end - start));
        start += chunk.length;
        position += part.length;
        if (part.length > 0) yield part;
      }
    } finally {
      this.readers -= 1;
      await this.closeUnused();
    }
  }

  /** Releases memory and file; the file as soon as it has no readers. */
  async dispose(): Promise<void> {
    this.isDisposed = true;
    await this.closeUnused();
  }

  private async readFile(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    try {
      const { bytesRead } = (await this.file?.read(buffer, 0, length, position)) ?? { bytesRead: 0 };
      if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw storageFault(error);
    }
    throw storageFault(new Error('the file of a body is shorter than the body'));
  }

  private async flush(): Promise<void> {
    const chunks = this.chunks;
    const bytes = this.pending;
    this.chunks = [];
    this.pending = 0;
    try {
      const file = (this.file ??= await this.create());
      for (let written = 0; written < bytes;) {
        written += (await file.writev(rest(chunks, written), this.flushed + written)).bytesWritten;
      }
    } catch (error) {
      throw storageFault(error);
    }
    this.flushed += bytes;
  }

  private async create(): Promise<FileHandle> {
    await mkdir(this.directory, { recursive: true });
    const path = join(this.directory, `upload-${randomBytes(8).toString('hex')}`);
    const file = await open(path, 'wx+', 0o600);
    try {
      await unlink(path);
    } catch (error) {
      await file.close();
      throw error;
    }
    return file;
  }

  private async closeUnused(): Promise<void> {
    if (!this.isDisposed || this.readers > 0) return;
    this.chunks = [];
    const { file } = this;
    this.file = undefined;
    await file?.close().catch(() => undefined);
  }
}

/** The rest of some chunks after their first bytes. */
function rest(chunks: readonly Buffer[], bytes: number): Buffer[] {
  const left: Buffer[] = [];
  let start = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, bytes - start));
    if (part.length > 0) left.push(part);
    start += chunk.length;
  }
  return left;
}
