import type { IncomingHttpHeaders } from 'node:http';

/** Longer than any key, so that no client makes the gateway hash megabytes of header. */
const MAX_LENGTH = 512;
const BEARER = /^bearer +([^ ]+) *$/i;

/**
 * The key that a request carries, in `Authorization: Bearer` or in `x-api-key`. Never in the query or the body, which
 * end up in logs.
 *
 * @returns undefined when there is none, when it is malformed, or when the two headers differ
 */
export function credentialOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  const bearer = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined) return undefined;
  if (apiKey !== undefined && (typeof apiKey !== 'string' || (bearer !== undefined && bearer !== apiKey)))
    return undefined;
  const credential = bearer ?? apiKey;
  return credential === undefined || credential === '' || credential.length > MAX_LENGTH ? undefined : credential;
}
