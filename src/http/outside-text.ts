import { invalidRequest } from '../errors/gateway-error.js';

/**
 * Whether a database keeps the text as it is. PostgreSQL takes neither NUL nor one half of a surrogate pair, and SQLite keeps
 * something else than it was given.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** @throws GatewayError 400 for a text that no database keeps */
export function assertStorable(text: string, path: string): void {
  if (isStorable(text)) return;
  throw invalidRequest(`'${path}' must not contain NUL characters or halves of surrogate pairs.`, path);
}

/**
 * Checks the query of a URL: what is no percent-encoding of UTF-8 would be read as something else than was sent.
 *
 * @param url path and query as they were sent
 * @throws GatewayError 400 that names the parameter
 */
export function assertQuery(url: string): void {
  const start = url.indexOf('?');
  if (start === -1) return;
  for (const pair of url.slice(start + 1).split('&')) {
    const [name, ...value] = pair.split('=');
    const decodedName = decoded(name ?? '', 'query');
    assertStorable(decodedName, 'query');
    assertStorable(decoded(value.join('='), decodedName), decodedName);
  }
}

function decoded(text: string, name: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidRequest(`The query parameter '${name}' is not valid percent-encoding of UTF-8.`, name, 'invalid_url');
  }
}
