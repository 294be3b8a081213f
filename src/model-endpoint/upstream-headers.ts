import type { IncomingHttpHeaders } from 'node:http';

/**
 * The client's headers that go upstream. An allow-list: never `authorization`, `cookie`, `x-forwarded-*` or a
 * hop-by-hop header.
 */
const ALLOWED = [
  'openai-beta',
  'openai-organization',
  'openai-project',
  'anthropic-beta',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'x-client-request-id',
] as const;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Headers of `incoming` that may be passed on, names in lower case.
 *
 * @param prefix of further headers that belong to the client's format, such as `anthropic-`
 */
export function upstreamHeaders(incoming: IncomingHttpHeaders, prefix?: string): Readonly<Record<string, string>> {
  let allowed: Record<string, string> | undefined;
  for (const name of ALLOWED) {
    const value = incoming[name];
    if (typeof value === 'string') (allowed ??= {})[name] = value;
  }
  if (prefix === undefined) return allowed ?? NONE;
  for (const name in incoming) {
    const value = incoming[name];
    if (name.startsWith(prefix) && typeof value === 'string') (allowed ??= {})[name] = value;
  }
  return allowed ?? NONE;
}
