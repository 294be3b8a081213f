import type { IncomingHttpHeaders } from 'node:http';
import type { WireName } from '../runtime/wire-name.js';

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

/** Headers of a format, which go to a provider of the same format. */
const FORMAT_PREFIXES: { readonly [Wire in WireName]?: string } = {
  anthropic: 'anthropic-',
  'openai-responses': 'openai-',
};
const PREFIXES = Object.values(FORMAT_PREFIXES);

/** How the names of the headers begin that belong to a format; undefined for none beside those that every format has. */
export function headerPrefixOf(wire: string | null): string | undefined {
  return wire === null ? undefined : FORMAT_PREFIXES[wire as WireName];
}

/** The headers of a submission that a batch keeps for tasks of any format: those that belong to a format. Null for none. */
export function formatHeaders(incoming: IncomingHttpHeaders): Record<string, string> | null {
  let kept: Record<string, string> | null = null;
  for (const name in incoming) {
    const value = incoming[name];
    if (typeof value !== 'string' || !PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    (kept ??= {})[name] = value;
  }
  return kept;
}

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
