import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { storageFault } from '../../errors/storage-fault.js';

/** Characters that are kept in memory before they go to a file. */
const MAX_MEMORY_CHARACTERS = 4 * 1024 * 1024;
const READ_BYTES = 512 * 1024;

/**
 * Holds lines of text in memory, and in a file once they are many, so that memory does not grow with them. The file is unlinked as
 * soon as it is open, so a crash leaves nothing behind.
 */
export class LineSpool {
  count = 0;
  private waiting: string[] = [];
  private waitingCharacters = 0;
  private written = 0;
  private file: number | undefined;

  constructor(private readonly directory: string) {}

  /**
   * @param line without a line break
   * @throws GatewayError 507 when the disk is full, 503 when no file can be made or written
   */
  add(line: string): void {
    this.count += 1;
    this.waiting.push(line);
    this.waitingCharacters += line.length + 1;
    if (this.waitingCharacters <= MAX_MEMORY_CHARACTERS) return;
    try {
      this.spill();
    } catch (error) {
      throw storageFault(error);
    }
  }

  /** In the order in which they were added. */
  *lines(): Generator<string> {
    if (this.file !== undefined) {
      const chunk = Buffer.allocUnsafe(READ_BYTES);
      let rest: Buffer = Buffer.alloc(0);
      for (let position = 0; position < this.written;) {
        const size = readSync(this.file, chunk, 0, READ_BYTES, position);
        position += size;
        const bytes = rest.length === 0 ? chunk.subarray(0, size) : Buffer.concat([rest, chunk.subarray(0, size)]);
        let start = 0;
        for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
          yield bytes.toString('utf8', start, end);
          start = end + 1;
        }
        rest = Buffer.from(bytes.subarray(start));
      }
    }
    yield* this.waiting;
  }

  dispose(): void {
    this.waiting = [];
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  private spill(): void {
    if (this.file === undefined) {
      mkdirSync(this.directory, { recursive: true });
      const path = join(this.directory, `submission-${randomBytes(8).toString('hex')}`);
      this.file = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
    }
    const bytes = Buffer.from(`${this.waiting.join('\n')}\n`);
    for (let start = 0; start < bytes.length; start += writeSync(this.file, bytes, start));
    this.written += bytes.length;
    this.waiting = [];
    this.waitingCharacters = 0;
  }
}
