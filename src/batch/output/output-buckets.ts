import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { OutputBucket } from '../../config/read-batch.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { S3Client } from '../../files/storage/s3-client.js';
import type { OutputObject } from './job-output.js';
import type { S3ObjectDto } from './output.dto.js';

const SETTING = 'batch.output_buckets';

/** The buckets that the operator has allowed batches to write to. */
@Injectable()
export class OutputBuckets implements OnModuleDestroy {
  private readonly clients = new Map<OutputBucket, Promise<S3Client>>();

  constructor(private readonly config: GatewayConfig) {}

  /**
   * The object that a submission names; its name may end with a slash.
   *
   * @throws GatewayError 400 that names the field, and the setting, where the operator has not allowed it
   */
  allowed({ bucket, key }: S3ObjectDto, keyId: string): OutputObject {
    const { outputBuckets } = this.config.batch;
    const found = outputBuckets.filter((each) => each.bucket === bucket);
    const [first] = found;
    if (first === undefined) {
      const reason = outputBuckets.length === 0 ? 'no bucket' : 'other buckets alone';
      throw refused('bucket', `names a bucket that is not allowed: the operator of this gateway has allowed ${reason}`);
    }
    if (key == null) return { bucket, key: prefixOf(first, keyId) };
    const prefixes = found.map((each) => prefixOf(each, keyId));
    if (prefixes.some((prefix) => key.startsWith(prefix))) return { bucket, key };
    throw refused('key', `must begin with ${prefixes.map((prefix) => `'${prefix}'`).join(' or ')} in this bucket`);
  }

  /** The client of the bucket of an object; undefined where the operator allows it no more. */
  clientOf({ bucket, key }: OutputObject, keyId: string): Promise<S3Client> | undefined {
    const entry = this.config.batch.outputBuckets.find(
      (each) => each.bucket === bucket && key.startsWith(prefixOf(each, keyId)),
    );
    if (entry === undefined) return undefined;
    const client = this.clients.get(entry) ?? makeClient(entry);
    this.clients.set(entry, client);
    return client;
  }

  async onModuleDestroy(): Promise<void> {
    for (const client of this.clients.values()) await (await client).close();
  }
}

function prefixOf({ prefix, perKey }: OutputBucket, keyId: string): string {
  return perKey ? `${prefix}${keyId}/` : prefix;
}

function refused(field: 'bucket' | 'key', reason: string): Error {
  const param = `output.s3.${field}`;
  return invalidRequest(`'${param}' ${reason}. The operator allows buckets with the setting ${SETTING}.`, param);
}

/** Loaded only where it is used, so that a start without a bucket pays nothing. */
async function makeClient({ cloud, endpoint, bucket, pathStyle }: OutputBucket): Promise<S3Client> {
  const [{ S3Client: Client }, { signAws }] = await Promise.all([
    import('../../files/storage/s3-client.js'),
    import('../../providers/credentials/aws/aws-authorize.js'),
  ]);
  return new Client({ endpoint, bucket, pathStyle }, signAws(cloud, 's3'));
}
