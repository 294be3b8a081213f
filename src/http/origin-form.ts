import type { HttpRequest } from './http-types.js';

const SLASH = '/'.charCodeAt(0);
const SCHEME_AND_AUTHORITY = /^https?:\/\/[^/?#]*/i;

/**
 * Reads `GET http://gateway/v1/models`, as clients write it to a proxy, as `GET /v1/models` (RFC 9112, 3.2.2: a server must accept
 * it).
 */
export function useOriginForm(request: HttpRequest): void {
  const { url } = request;
  if (url.charCodeAt(0) === SLASH || !SCHEME_AND_AUTHORITY.test(url)) return;
  const rest = url.replace(SCHEME_AND_AUTHORITY, '');
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}
