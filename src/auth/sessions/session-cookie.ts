import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { parseUrl } from '../../runtime/parse-url.js';

/** The cookie of a session. It has no `__Host-` prefix, because browsers refuse that over plain HTTP. */
export const SESSION_COOKIE = 'gateway_session';
/** The header in which unsafe requests of a session send its CSRF token. */
export const CSRF_HEADER = 'x-csrf-token';
const TOKEN = /^(sess_[0-9a-f]{24})\.([A-Za-z0-9_-]{43})$/;
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Headers with a key. Where one of them is sent, well-formed or not, the cookie is ignored. */
const KEY_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key'] as const;

/** The two parts of a cookie. */
export interface SessionToken {
  readonly id: string;
  readonly secret: string;
}

/**
 * The session that a request carries in its cookie.
 *
 * @returns undefined if there is none, when the cookie is malformed or sent twice, or when the request carries a key
 */
export function sessionTokenOf(headers: IncomingHttpHeaders): SessionToken | undefined {
  const { cookie } = headers;
  if (cookie === undefined || KEY_HEADERS.some((name) => headers[name] !== undefined)) return undefined;
  const values = cookie
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each.startsWith(`${SESSION_COOKIE}=`));
  const match = values.length === 1 ? TOKEN.exec(values[0]?.slice(SESSION_COOKIE.length + 1) ?? '') : null;
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { id: match[1], secret: match[2] };
}

/** @param maxAgeSeconds 0 takes the cookie away */
export function printSessionCookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
  const secure = isSecure ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** Whether the browser reached the gateway, or the proxy in front of it, over HTTPS. */
export function isOverHttps({ socket, headers }: IncomingMessage): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true || headers['x-forwarded-proto'] === 'https';
}

/** The CSRF token of a session: it follows from the secret, which scripts cannot read, and does not reveal it. */
export function csrfTokenOf(secret: string): string {
  return createHash('sha256').update(`csrf\n${secret}`).digest('base64url');
}

/** Whether a request with this method changes nothing, so that it needs no CSRF token. */
export function isSafe(method: string | undefined): boolean {
  return SAFE_METHODS.has(method);
}

/**
 * Whether a page of another origin sent the request. Browsers say so themselves; other clients send neither header.
 */
export function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return parseUrl(origin)?.host !== host;
}
