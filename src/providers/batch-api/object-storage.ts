import { GatewayError } from '../../errors/gateway-error.js';
import { elements, textOf } from '../../runtime/xml-elements.js';
import type { BatchStorage } from '../definitions/storage/batch-storage.js';
import type { RepeatableBody } from '../transport/upstream-request.js';
import type { BatchCall } from './batch-api.js';
import type { BatchClient } from './batch-client.js';

/**
 * The files of a provider's batches, in a bucket of S3 or of Google Cloud Storage, whose XML API has the same methods.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/, https://cloud.google.com/storage/docs/xml-api/overview
 */
export class ObjectStorage {
  /** @param client with the credentials of the bucket */
  constructor(
    private readonly storage: BatchStorage,
    private readonly client: BatchClient,
  ) {}

  /** The name of an object of a part. */
  keyOf(partId: string, name: string): string {
    return `${this.storage.prefix}${partId}/${name}`;
  }

  /** The address by which the provider knows an object or a folder. */
  uriOf(key: string): string {
    return `${this.storage.scheme}://${this.storage.bucket}/${key}`;
  }

  /** The name of an object or a folder of the bucket by its address; undefined for another bucket's. */
  keyOfUri(uri: unknown): string | undefined {
    const start = this.uriOf('');
    return typeof uri === 'string' && uri.startsWith(start) && uri !== start ? uri.slice(start.length) : undefined;
  }

  async write(key: string, body: RepeatableBody, call: BatchCall): Promise<void> {
    await this.client.uploadText({ method: 'PUT', path: this.urlOf(key), body }, call);
  }

  /** Names of the objects that begin with a text, in the order of their names. */
  async list(prefix: string, call: BatchCall): Promise<readonly string[]> {
    const keys: string[] = [];
    for (let token: string | undefined, isLast = false; !isLast;) {
      const query = new URLSearchParams({
        'list-type': '2',
        prefix,
        ...(token !== undefined && { 'continuation-token': token }),
      });
      const path = `${this.storage.bucketUrl}/?${query.toString()}`;
      const xml = await this.client.text({ method: 'GET', path, headers: { accept: 'application/xml' } }, call);
      for (const object of elements(xml, 'Contents')) {
        const key = textOf(object, 'Key');
        if (key !== undefined) keys.push(key);
      }
      token = textOf(xml, 'NextContinuationToken');
      isLast = token === undefined || textOf(xml, 'IsTruncated') !== 'true';
    }
    return keys;
  }

  lines(key: string, call: BatchCall): AsyncGenerator<string> {
    return this.client.lines(this.urlOf(key), {}, call);
  }

  /** Also where there is no such object. */
  async delete(key: string, call: BatchCall): Promise<void> {
    try {
      await this.client.text({ method: 'DELETE', path: this.urlOf(key) }, call);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.upstream?.status !== 404) throw error;
    }
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private urlOf(key: string): string {
    return `${this.storage.bucketUrl}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }
}
