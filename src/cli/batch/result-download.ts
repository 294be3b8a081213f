import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '../../runtime/json-value.js';
import { CallError, codeOf, type GatewayConnection } from './gateway-connection.js';

const LINE_FEED = 10;
const READ_BYTES = 1024 * 1024;
/** Interruptions without any progress between them after which a download ends, and milliseconds before it goes on. */
const MAX_INTERRUPTIONS = 5;
const RESUME_WAIT_MS = 1_000;

/** Results that are in the file by now. */
export interface DownloadState {
  readonly count: number;
  readonly isWhole: boolean;
}

/**
 * Downloads the results of a job that has ended into a file: first into `<file>.part`, whose whole lines a later run keeps, so that an
 * interruption loses and doubles none.
 */
export class ResultDownload {
  private readonly file: number;
  /** Bytes of whole lines. */
  private size = 0;
  private count = 0;
  /** The index of the last result; -1 for none. */
  private last = -1;
  private readonly part: string;

  /** @throws CallError for a file that exists already or cannot be written, and for a part of another job */
  constructor(
    private readonly gateway: GatewayConnection,
    private readonly jobId: string,
    private readonly path: string,
  ) {
    this.part = `${path}.part`;
    if (existsSync(path)) throw new CallError(`${path} exists already. Remove it, or name another file.`);
    try {
      this.file = openSync(this.part, existsSync(this.part) ? 'r+' : 'w+', 0o600);
    } catch (error) {
      throw new CallError(`${this.part} cannot be written (${codeOf(error)}).`);
    }
  }

  /**
   * Resumes or begins, and goes on after interruptions.
   *
   * @param total results of the job
   * @param onProgress called with the number of results that there are
   * @throws CallError when it fails; the next run continues then
   */
  async run(total: number, onProgress: (count: number) => void): Promise<number> {
    try {
      await this.resume();
      onProgress(this.count);
      for (let interruptions = 0; this.count < total;) {
        const before = this.count;
        try {
          await this.receive(onProgress);
        } catch (error) {
          if (error instanceof CallError && error.status !== undefined && error.status < 500) throw error;
          interruptions = this.count > before ? 0 : interruptions + 1;
          if (interruptions === MAX_INTERRUPTIONS) {
            throw new CallError(
              `The download was interrupted at ${this.count} of ${total} results (${codeOf(error)}). Run the command again to continue it.`,
            );
          }
          await sleep(RESUME_WAIT_MS);
          continue;
        }
        if (this.count < total && this.count === before) {
          throw new CallError(
            `The gateway has ${this.count} of ${total} results. Run the command again when the job has ended.`,
          );
        }
      }
      renameSync(this.part, this.path);
      return this.count;
    } finally {
      closeSync(this.file);
    }
  }

  /** Keeps the whole lines of an earlier run, if they are of this job. */
  private async resume(): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let lineStart = 0;
    let lastStart = 0;
    for (let position = 0; ;) {
      const read = readSync(this.file, buffer, 0, READ_BYTES, position);
      if (read === 0) break;
      for (let at = buffer.indexOf(LINE_FEED); at !== -1 && at < read; at = buffer.indexOf(LINE_FEED, at + 1)) {
        lastStart = lineStart;
        lineStart = position + at + 1;
        this.count += 1;
      }
      position += read;
    }
    this.size = lineStart;
    if (this.count > 0) {
      const line = Buffer.alloc(lineStart - lastStart);
      readSync(this.file, line, 0, line.length, lastStart);
      await this.assertOwn(line.toString('utf8').trimEnd());
    }
    if (fstatSync(this.file).size > this.size) ftruncateSync(this.file, this.size);
  }

  private async assertOwn(line: string): Promise<void> {
    const index = indexOf(line);
    if (index !== undefined) {
      const query = index === 0 ? '' : `?after=${index - 1}`;
      const response = await this.gateway.call(`/v1/batch/${this.jobId}/results${query}`, { isRepeatable: true });
      const known = await firstLine(response);
      if (known === line) {
        this.last = index;
        return;
      }
    }
    throw new CallError(`${this.part} has results of another job. Remove it, or name another file.`);
  }

  /** One response: appends whole lines as they come. */
  private async receive(onProgress: (count: number) => void): Promise<void> {
    const query = this.last < 0 ? '' : `?after=${this.last}`;
    const response = await this.gateway.call(`/v1/batch/${this.jobId}/results${query}`, { isRepeatable: true });
    let rest = new Uint8Array(0);
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      const bytes = Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      rest = bytes.subarray(end);
      if (end === 0) continue;
      this.append(bytes.subarray(0, end));
      onProgress(this.count);
    }
  }

  private append(lines: Buffer): void {
    for (let start = 0; start < lines.length;) {
      start += writeSync(this.file, lines, start, lines.length - start, this.size + start);
    }
    this.size += lines.length;
    for (let at = lines.indexOf(LINE_FEED); at !== -1; at = lines.indexOf(LINE_FEED, at + 1)) this.count += 1;
    const lastStart = lines.lastIndexOf(LINE_FEED, lines.length - 2) + 1;
    const index = indexOf(lines.toString('utf8', lastStart));
    if (index === undefined) throw new CallError('A result of the gateway cannot be read. Check --url.', 200);
    this.last = index;
  }
}

function indexOf(line: string): number | undefined {
  try {
    const result = JSON.parse(line) as unknown;
    return isObject(result) && typeof result['index'] === 'number' ? result['index'] : undefined;
  } catch {
    return undefined;
  }
}

async function firstLine(response: Response): Promise<string | undefined> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const end = text.indexOf('\n');
    if (end !== -1) return text.slice(0, end);
  }
  return undefined;
}
