import type { S3Config } from '../../config/read-s3.js';
import { GatewayError, notFound } from '../../errors/gateway-error.js';
import { storageFault } from '../../errors/storage-fault.js';
import { elements, textOf } from '../../runtime/xml-elements.js';
import { FileStorage } from './file-storage.js';
import { signAws } from '../../providers/credentials/aws/aws-authorize.js';
import { MultipartUploads } from './multipart-uploads.js';
import { S3Client, S3Error, type S3Response } from './s3-client.js';

/** Bytes of a part of a multipart upload, and of one read: what a write or a read holds in memory. */
const PART_BYTES = 8 * 1024 * 1024;
/** Ids are names of objects. */
const ID = /^[\w-]{1,64}$/;

/** @param address with the login of the bucket */
export function makeS3Storage({ cloud, prefix, ...address }: S3Config): S3Storage {
  return new S3Storage(new S3Client(address, signAws(cloud, 's3')), prefix);
}

/** Files in a bucket of S3, or of a server with its API. */
export class S3Storage extends FileStorage {
  private readonly uploads: MultipartUploads;

  /** @param prefix of the names of all objects; it may be empty */
  constructor(
    private readonly client: S3Client,
    private readonly prefix: string,
    private readonly partBytes = PART_BYTES,
  ) {
    super();
    this.uploads = new MultipartUploads(client);
  }

  /** A small file with one request, a larger one as a multipart upload, which becomes an object only when it is complete. */
  async write(id: string, content: AsyncIterable<Buffer>): Promise<void> {
    const key = this.keyOf(id);
    let uploadId: string | undefined;
    const tags: string[] = [];
    let pending: Buffer[] = [];
    let bytes = 0;
    const sendPart = async (part: Buffer): Promise<void> => {
      uploadId ??= await this.uploads.begin(key);
      tags.push(await this.uploads.put({ key, uploadId }, tags.length + 1, part));
    };
    try {
      for await (const chunk of content) {
        pending.push(chunk);
        bytes += chunk.length;
        if (bytes < this.partBytes) continue;
        const whole = Buffer.concat(pending);
        let start = 0;
        for (; whole.length - start >= this.partBytes; start += this.partBytes) {
          await sendPart(whole.subarray(start, start + this.partBytes));
        }
        pending = [Buffer.from(whole.subarray(start))];
        bytes = whole.length - start;
      }
      const rest = Buffer.concat(pending);
      if (uploadId === undefined) {
        await this.client.send({ method: 'PUT', key, body: rest });
        return;
      }
      if (rest.length > 0) await sendPart(rest);
      await this.uploads.complete({ key, uploadId }, tags);
    } catch (error) {
      if (uploadId !== undefined) await this.uploads.abort({ key, uploadId }).catch(() => undefined);
      throw error instanceof GatewayError ? error : storageFault(error);
    }
  }

  /** Reads stretch by stretch, so that a slow reader holds no connection, and one that breaks costs one stretch. */
  async *read(id: string): AsyncGenerator<Buffer> {
    const key = this.keyOf(id);
    for (let start = 0, size = Infinity; start < size;) {
      const range = `bytes=${start}-${start + this.partBytes - 1}`;
      const { status, headers, body } = await this.readRange(key, range, start);
      if (body.length > 0) yield body;
      // The whole object, from a server that ignores ranges, or an empty one.
      if (status !== 206) return;
      size = Number(/\/(\d+)$/.exec(String(headers['content-range'] ?? ''))?.[1] ?? 0);
      start += body.length;
    }
  }

  async delete(id: string): Promise<void> {
    try {
      await this.client.send({ method: 'DELETE', key: this.keyOf(id) });
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status !== 404) throw error;
    }
  }

  /** Aborts multipart uploads that a crash left as well. */
  async *listBefore(time: number): AsyncGenerator<string> {
    for await (const upload of this.uploads.unfinished(this.prefix)) {
      if (upload.begunAt < time && this.idOf(upload.key) !== undefined) await this.uploads.abort(upload);
    }
    for await (const xml of this.client.pages({ 'list-type': '2', prefix: this.prefix })) {
      for (const object of elements(xml, 'Contents')) {
        const id = this.idOf(textOf(object, 'Key') ?? '');
        if (id !== undefined && Date.parse(textOf(object, 'LastModified') ?? '') < time) yield id;
      }
    }
  }

  private async readRange(key: string, range: string, start: number): Promise<S3Response> {
    try {
      return await this.client.send({ method: 'GET', key, headers: { range } });
    } catch (error) {
      if (start > 0 || !(error instanceof GatewayError) || !isUnsatisfiable(error)) throw error;
      // An empty object has no first byte.
      return { status: 200, headers: {}, body: Buffer.alloc(0) };
    }
  }

  private keyOf(id: string): string {
    if (!ID.test(id)) throw notFound('There is no such file.');
    return `${this.prefix}${id}`;
  }

  private idOf(key: string): string | undefined {
    const id = key.startsWith(this.prefix) ? key.slice(this.prefix.length) : '';
    return ID.test(id) ? id : undefined;
  }
}

function isUnsatisfiable({ cause }: GatewayError): boolean {
  return cause instanceof S3Error && cause.status === 416;
}
