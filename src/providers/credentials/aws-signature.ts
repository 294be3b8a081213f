import { AwsV4Signer } from 'aws4fetch';
import type { CloudSettings } from '../../config/gateway-config.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { BEDROCK_TYPE } from '../definitions/bedrock.js';
import type { Authorize } from './authorize.js';

/** The headers that are signed beside `host` and the date; a proxy may change the others. */
const SIGNED_HEADERS: readonly string[] = ['content-type'];

/** AWS Signature Version 4 with access keys. Session tokens are signed as well. */
export function signAws({
  region = 'us-east-1',
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: CloudSettings): Authorize {
  // The key of a day is derived once.
  const cache = new Map<string, ArrayBuffer>();
  return async ({ method, url, headers, body }) => {
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw upstreamError({
        message:
          'The credentials of the upstream provider are incomplete. The operator of the gateway must check them.',
      });
    }
    const signer = new AwsV4Signer({
      method,
      url,
      headers: Object.entries(headers).filter(([name]) => SIGNED_HEADERS.includes(name)),
      ...(body !== undefined && { body: new Uint8Array(body) }),
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      service: BEDROCK_TYPE,
      region,
      cache,
    });
    const signed = await signer.sign();
    return Object.fromEntries([...signed.headers].filter(([name]) => !SIGNED_HEADERS.includes(name)));
  };
}
