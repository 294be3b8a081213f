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

/** Headers of `incoming` that may be passed on, names in lower case. */
export function upstreamHeaders(incoming: IncomingHttpHeaders): Readonly<Record<string, string>> {
  let allowed: Record<string, string> | undefined;
  for (const name of ALLOWED) {
    const value = incoming[name];
    if (typeof value === 'string') (allowed ??= {})[name] = value;
  }
  return allowed ?? NONE;
}
