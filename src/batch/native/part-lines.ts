import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import type { RepeatableBody } from '../../providers/transport/upstream-request.js';

/** The lines of a part in a file, which is deleted with `dispose`. */
export class PartLines {
  count = 0;
  bytes = 0;
  private stream: WriteStream | undefined;
  private failure: Error | undefined;
  private readonly path: string;

  constructor(
    private readonly directory: string,
    name: string,
    private readonly separator: string,
  ) {
    this.path = join(directory, name);
  }

  /** @throws Error where the file cannot be written */
  async add(line: string): Promise<void> {
    const text = this.count === 0 ? line : `${this.separator}${line}`;
    this.count += 1;
    this.bytes += Buffer.byteLength(text);
    const stream = this.stream ?? (await this.open());
    if (this.failure !== undefined) throw this.failure;
    if (!stream.write(text)) await once(stream, 'drain');
  }

  /** The whole file, once nothing more is added. */
  async body(contentType: string): Promise<RepeatableBody> {
    const { stream, path, bytes } = this;
    if (stream !== undefined) {
      stream.end();
      await once(stream, 'close');
    }
    if (this.failure !== undefined) throw this.failure;
    return { contentType, length: bytes, open: () => createReadStream(path) as AsyncIterable<Buffer> };
  }

  async dispose(): Promise<void> {
    this.stream?.destroy();
    await rm(this.path, { force: true });
  }

  private async open(): Promise<WriteStream> {
    await mkdir(this.directory, { recursive: true });
    const stream = createWriteStream(this.path, { mode: 0o600 });
    stream.on('error', (error) => (this.failure = error));
    this.stream = stream;
    return stream;
  }
}
