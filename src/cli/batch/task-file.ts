import { createReadStream, createWriteStream, mkdtempSync, openSync, readSync, closeSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import { isObject } from '../../runtime/json-value.js';
import { UsageError } from '../command.js';
import { codeOf } from './gateway-connection.js';

const STANDARD_STREAM = '-';
const GZIP_MAGIC = 0x1f8b;
const LINE_FEED = 10;
/** Bytes of one line. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** Characters of a faulty line that are shown. */
const MAX_SHOWN_CHARACTERS = 60;

/** A line of a file with tasks. */
export interface TaskLine {
  /** From 1. */
  readonly number: number;
  /** JSON text without line breaks around it. */
  readonly text: string;
}

/** A file of tasks, one JSON value a line, which may be read several times. */
export class TaskFile {
  private constructor(
    /** As the user named it. */
    readonly name: string,
    private readonly path: string,
    private readonly folder: string | undefined,
  ) {}

  /** @param name a path, or `-` for standard input, which is kept in a temporary file. @throws UsageError where it cannot be read */
  static async open(name: string): Promise<TaskFile> {
    if (name !== STANDARD_STREAM) {
      try {
        closeSync(openSync(name, 'r'));
      } catch (error) {
        throw new UsageError(`${name} cannot be read (${codeOf(error)}).`);
      }
      return new TaskFile(name, name, undefined);
    }
    const folder = mkdtempSync(join(tmpdir(), 'llm-gateway-batch-'));
    const path = join(folder, 'tasks.jsonl');
    await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }));
    return new TaskFile('standard input', path, folder);
  }

  /**
   * Its tasks in order, also of a compressed file. Blank lines, a byte order mark and the line ends of Windows are left out.
   *
   * @throws UsageError that names the line which is no JSON
   */
  async *lines(): AsyncGenerator<TaskLine> {
    let number = 0;
    for await (const bytes of splitLines(this.read(), this.name)) {
      number += 1;
      let text = bytes.toString('utf8');
      if (number === 1 && text.startsWith('\ufeff')) text = text.slice(1);
      text = text.trim();
      if (text === '') continue;
      this.check(text, number);
      yield { number, text };
    }
  }

  dispose(): void {
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  private async *read(): AsyncGenerator<Buffer> {
    const file = createReadStream(this.path);
    const source: Readable = isCompressed(this.path) ? file.pipe(createGunzip()) : file;
    file.on('error', (error) => source.destroy(error));
    try {
      for await (const chunk of source) yield chunk as Buffer;
    } catch (error) {
      throw new UsageError(`${this.name} cannot be read (${codeOf(error)}).`);
    }
  }

  private check(text: string, number: number): void {
    let value: unknown;
    try {
      value = JSON.parse(text) as unknown;
    } catch {
      const shown = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text;
      throw new UsageError(`${this.name}:${number} is not JSON: ${shown}`);
    }
    if (typeof value === 'string' || isObject(value)) return;
    throw new UsageError(`${this.name}:${number} must be an object or a text, as a task is.`);
  }
}

/** The model that a task of any form names. */
export function modelOfLine(text: string): string | undefined {
  const task = JSON.parse(text) as unknown;
  if (!isObject(task)) return undefined;
  for (const part of [task, task['body'], task['params']]) {
    const model = isObject(part) ? part['model'] : undefined;
    if (typeof model === 'string') return model;
  }
  return undefined;
}

function isCompressed(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(2);
    return readSync(file, head, 0, 2, 0) === 2 && head.readUInt16BE(0) === GZIP_MAGIC;
  } finally {
    closeSync(file);
  }
}

/** Lines as bytes, since a character may be divided between two chunks. */
async function* splitLines(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer): void => {
    size += part.length;
    if (size > MAX_LINE_BYTES) throw new UsageError(`${name} has a line of more than ${MAX_LINE_BYTES >> 20} MB.`);
    if (part.length > 0) parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      yield Buffer.concat(parts);
      [parts, size, start] = [[], 0, end + 1];
    }
    add(chunk.subarray(start));
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}
