import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { storageFault } from '../../errors/storage-fault.js';
import type { NewTask } from './submission-store.js';

/** Bytes that a submission may keep in memory before it goes to a file. */
const MAX_MEMORY_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 512 * 1024;
/** Most tasks of one insert. */
const TASKS_PER_INSERT = 250;

/**
 * Holds the checked tasks of a submission until all of them are known to be valid, so that a slow upload holds no transaction
 * open and memory does not grow with it. The file is unlinked as soon as it is open, so a crash leaves nothing behind.
 */
export class TaskSpool {
  count = 0;
  private lines: string[] = [];
  private pending = 0;
  private written = 0;
  private file: number | undefined;

  constructor(private readonly directory: string) {}

  add({ customId, request }: NewTask): void {
    // JSON texts contain no raw tab or line break.
    const line = `${JSON.stringify(customId)}\t${request}\n`;
    this.count += 1;
    this.lines.push(line);
    this.pending += line.length;
    if (this.pending > MAX_MEMORY_BYTES) this.spill();
  }

  /** In insertion order, in groups that fit one insert. */
  *groups(): Generator<NewTask[]> {
    let group: NewTask[] = [];
    for (const line of this.read()) {
      const tab = line.indexOf('\t');
      group.push({ customId: JSON.parse(line.slice(0, tab)) as string, request: line.slice(tab + 1) });
      if (group.length === TASKS_PER_INSERT) {
        yield group;
        group = [];
      }
    }
    if (group.length > 0) yield group;
  }

  dispose(): void {
    this.lines = [];
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  /** @throws GatewayError 507 when the disk is full, 503 when no file can be made or written */
  private spill(): void {
    try {
      this.writePending();
    } catch (error) {
      throw storageFault(error);
    }
  }

  private writePending(): void {
    if (this.file === undefined) {
      mkdirSync(this.directory, { recursive: true });
      const path = join(this.directory, `submission-${randomBytes(8).toString('hex')}`);
      this.file = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
    }
    const bytes = Buffer.from(this.lines.join(''));
    for (let start = 0; start < bytes.length; start += writeSync(this.file, bytes, start));
    this.written += bytes.length;
    this.lines = [];
    this.pending = 0;
  }

  private *read(): Generator<string> {
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
    for (const line of this.lines) yield line.slice(0, -1);
  }
}
