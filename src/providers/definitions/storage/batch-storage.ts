import { parseUrl } from '../../../runtime/parse-url.js';
import type { CloudKey, Connection, ConnectionInput } from '../types/connection.js';
import { secureUrlFault } from '../logins/login-url.js';

/** Where the files of a provider's batches are: it reads the lines there, and writes their results. */
export interface BatchStorage {
  /** Of the addresses of objects. */
  readonly scheme: 's3' | 'gs';
  readonly bucket: string;
  /** Of the names of all objects: empty, or with a slash at its end. */
  readonly prefix: string;
  /** The address of the bucket, without a trailing slash. */
  readonly bucketUrl: string;
  /** AWS: the role by which the provider reads and writes. */
  readonly roleArn?: string;
}

/** Keys of an entry that say where its batches are. */
export const BATCH_STORAGE_KEYS = ['batch_location', 'batch_storage_endpoint'] as const satisfies readonly CloudKey[];

/** The names of buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; Google's may have `_`. */
const LOCATION = /^(s3|gs):\/\/([a-z\d][a-z\d._-]{1,220}[a-z\d])(?:\/(.*))?$/;
/** Characters of the names of objects that need no encoding in XML or in URLs. */
const PREFIX = /^(?:[\w.-]+\/)*[\w.-]*$/;

interface ReadStorage {
  readonly storage: BatchStorage | undefined;
  readonly faults: readonly Connection['faults'][number][];
}

/**
 * The location of an entry; undefined where it has none.
 *
 * @param scheme that the provider's locations have
 * @param hostOf the host of a bucket, with its path where that has the name of the bucket
 */
export function readBatchStorage(
  { batch_location: location, batch_storage_endpoint: endpoint }: ConnectionInput['entry'],
  scheme: BatchStorage['scheme'],
  hostOf: (bucket: string) => string,
): ReadStorage {
  if (location === undefined) {
    if (endpoint === undefined) return { storage: undefined, faults: [] };
    const message = 'is used with batch_location alone. Set that too, or leave it out';
    return { storage: undefined, faults: [{ key: 'batch_storage_endpoint', message }] };
  }
  const [, found, bucket = '', path = ''] = LOCATION.exec(location) ?? [];
  const folder = path.replace(/\/+$/, '');
  if (found !== scheme || !PREFIX.test(folder) || folder.split('/').some((part) => /^\.+$/.test(part))) {
    const message = `must be the address of a bucket or a folder in one, such as ${scheme}://my-bucket/batches, of letters, digits, '.', '_' and '-'`;
    return { storage: undefined, faults: [{ key: 'batch_location', message }] };
  }
  const fault = endpoint === undefined ? undefined : secureUrlFault(endpoint);
  if (fault !== undefined) return { storage: undefined, faults: [{ key: 'batch_storage_endpoint', message: fault }] };
  const own = endpoint === undefined ? undefined : parseUrl(endpoint)?.href.replace(/\/+$/, '');
  const prefix = folder === '' ? '' : `${folder}/`;
  const bucketUrl = own === undefined ? `https://${hostOf(bucket)}` : `${own}/${bucket}`;
  return { storage: { scheme, bucket, prefix, bucketUrl }, faults: [] };
}
