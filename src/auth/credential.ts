import type { IncomingMessage } from 'node:http';

/** Longer than any key, so that no client makes the gateway hash megabytes of header. */
const MAX_CHARACTERS = 512;
/** Paths of Google's API. */
const GOOGLE_PREFIX = '/v1beta/';
const BEARER = /^bearer +([^ ]+) *$/i;

/**
 * The key that a request carries, in `Authorization: Bearer`, in `x-api-key`, or in `x-goog-api-key`. Never in the body, and in
 * the query (`key`) of Google's API alone, whose clients send it there; the gateway logs no query.
 *
 * @returns undefined if there is none, when it is malformed, or when two places differ
 */
export function credentialOf({ headers, url }: Pick<IncomingMessage, 'headers' | 'url'>): string | undefined {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? keyInQuery(url);
  const bearer = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined) return undefined;
  if (apiKey !== undefined && (typeof apiKey !== 'string' || (bearer !== undefined && bearer !== apiKey)))
    return undefined;
  const credential = bearer ?? apiKey;
  return credential === undefined || credential === '' || credential.length > MAX_CHARACTERS ? undefined : credential;
}

/** `?key=` of a path of Google's API. */
function keyInQuery(url: string | undefined): string | undefined {
  if (url?.startsWith(GOOGLE_PREFIX) !== true) return undefined;
  const at = url.indexOf('?');
  return at === -1 ? undefined : (new URLSearchParams(url.slice(at + 1)).get('key') ?? undefined);
}
