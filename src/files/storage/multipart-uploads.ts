import { GatewayError } from '../../errors/gateway-error.js';
import { storageFault } from '../../errors/storage-fault.js';
import { elements, textOf } from '../../runtime/xml-elements.js';
import type { S3Client } from './s3-client.js';

/** An upload that is neither complete nor aborted. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  /** Epoch milliseconds. */
  readonly begunAt: number;
}

/** An upload in progress. */
export interface Upload {
  readonly key: string;
  readonly uploadId: string;
}

/**
 * Multipart uploads of S3: parts of at least 5 MiB but the last, up to 10,000, that become an object when the upload is completed.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 */
export class MultipartUploads {
  constructor(private readonly client: S3Client) {}

  /** @returns the id of the upload */
  async begin(key: string, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<string> {
    const { body } = await this.client.send({ method: 'POST', key, query: { uploads: '' }, headers, signal });
    const uploadId = textOf(body.toString('utf8'), 'UploadId');
    if (uploadId === undefined) throw storageFault(new Error('S3 began a multipart upload without an id'));
    return uploadId;
  }

  /** Uploads a part, in place of an earlier one with its number. @returns its tag */
  async put({ key, uploadId }: Upload, number: number, body: Buffer, signal?: AbortSignal): Promise<string> {
    const query = { partNumber: String(number), uploadId };
    const { headers } = await this.client.send({ method: 'PUT', key, query, body, signal });
    return String(headers['etag'] ?? '');
  }

  /** @param tags of all parts, in their order */
  async complete({ key, uploadId }: Upload, tags: readonly string[], signal?: AbortSignal): Promise<void> {
    const parts = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`);
    const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    const headers = { 'content-type': 'application/xml' };
    await this.client.send({ method: 'POST', key, query: { uploadId }, headers, body, signal });
  }

  /** Frees the parts, also where there is no such upload any more. */
  async abort({ key, uploadId }: Upload): Promise<void> {
    try {
      await this.client.send({ method: 'DELETE', key, query: { uploadId } });
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status !== 404) throw error;
    }
  }

  /** The unfinished uploads of keys that begin with a text. */
  async *unfinished(prefix: string): AsyncGenerator<UnfinishedUpload> {
    for await (const xml of this.client.pages({ uploads: '', prefix })) {
      for (const upload of elements(xml, 'Upload')) {
        const key = textOf(upload, 'Key');
        const uploadId = textOf(upload, 'UploadId');
        const begunAt = Date.parse(textOf(upload, 'Initiated') ?? '');
        if (key !== undefined && uploadId !== undefined) yield { key, uploadId, begunAt };
      }
    }
  }
}
