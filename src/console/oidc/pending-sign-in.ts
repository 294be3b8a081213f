import type { IncomingHttpHeaders } from 'node:http';

const TOKEN = '[A-Za-z0-9_-]{43}';
const VALUE = new RegExp(`^(${TOKEN})\\.(${TOKEN})\\.(${TOKEN})$`);
/** How long a person may take at the identity provider. */
export const PENDING_SECONDS = 600;

/** What a browser keeps while its user is at the identity provider. */
export interface PendingSignIn {
  /** Comes back with the response, so that it belongs to this browser. */
  readonly state: string;
  /** Comes back in the ID token, so that it was made for this sign-in. */
  readonly nonce: string;
  /** Redeems the code, which no other browser can (PKCE, RFC 7636). */
  readonly verifier: string;
}

/** A cookie with the prefix is one that no other host, and no page over plain HTTP, can have set. */
function nameOf(isSecure: boolean): string {
  return isSecure ? '__Host-gateway_oidc' : 'gateway_oidc';
}

/**
 * The cookie of a sign-in that has begun. It is sent along when the identity provider leads the browser back, as a cookie that
 * is `SameSite=Strict` would not be.
 *
 * @param pending undefined takes the cookie away
 */
export function printPendingCookie(pending: PendingSignIn | undefined, isSecure: boolean): string {
  const value = pending === undefined ? '' : `${pending.state}.${pending.nonce}.${pending.verifier}`;
  const seconds = pending === undefined ? 0 : PENDING_SECONDS;
  const secure = isSecure ? '; Secure' : '';
  return `${nameOf(isSecure)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

/** @returns undefined where there is no such cookie, it is malformed, or it was sent twice */
export function pendingOf({ cookie = '' }: IncomingHttpHeaders, isSecure: boolean): PendingSignIn | undefined {
  const name = `${nameOf(isSecure)}=`;
  const values = cookie
    .split(';')
    .map((each) => each.trim())
    .filter((each) => each.startsWith(name));
  const [, state, nonce, verifier] = (values.length === 1 && VALUE.exec(values[0]?.slice(name.length) ?? '')) || [];
  return state === undefined || nonce === undefined || verifier === undefined ? undefined : { state, nonce, verifier };
}
