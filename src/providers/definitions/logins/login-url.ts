import { parseUrl } from '../../../runtime/parse-url.js';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Why secrets cannot be sent to an address; undefined where they can: with TLS, or on this machine. */
export function secureUrlFault(text: string): string | undefined {
  const url = parseUrl(text);
  if (url === undefined) return 'must be a URL such as https://example.com';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return undefined;
  return 'must begin with https://, because a secret is sent to it';
}
