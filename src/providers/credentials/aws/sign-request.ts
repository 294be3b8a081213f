import { AwsV4Signer } from 'aws4fetch';
import type { AwsKeys } from '../../definitions/logins/aws-login.js';
import type { UnauthorizedRequest } from '../authorize.js';

/** The headers that are signed beside `host` and the date; a proxy may change the others. */
const SIGNED_HEADERS: readonly string[] = ['content-type'];
/** S3 refuses a request with an unsigned header of this kind. */
const SIGNED_PREFIX = 'x-amz-';
/** The key that is derived from an access key for a day, a region and a service; kept for as long as the access key is in use. */
const derivedKeys = new WeakMap<AwsKeys, Map<string, ArrayBuffer>>();

/** The scope of a signature. */
export interface SignatureScope {
  readonly region: string;
  readonly service: string;
}

/** The headers of AWS Signature Version 4, names in lower case. Session tokens are signed as well. */
export async function signRequest(
  { method, url, headers, body }: UnauthorizedRequest,
  keys: AwsKeys,
  { region, service }: SignatureScope,
): Promise<Readonly<Record<string, string>>> {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new AwsV4Signer({
    method,
    url,
    headers: Object.entries(headers).filter(
      ([name]) => SIGNED_HEADERS.includes(name) || name.startsWith(SIGNED_PREFIX),
    ),
    ...(body !== undefined && { body: new Uint8Array(body) }),
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    service,
    region,
    cache: derivedKeysOf(keys),
  });
  const signed = await signer.sign();
  return Object.fromEntries([...signed.headers].filter(([name]) => !SIGNED_HEADERS.includes(name)));
}

function derivedKeysOf(keys: AwsKeys): Map<string, ArrayBuffer> {
  let derived = derivedKeys.get(keys);
  if (derived === undefined) {
    derived = new Map();
    derivedKeys.set(keys, derived);
  }
  return derived;
}
