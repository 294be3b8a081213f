import type { IncomingHttpHeaders } from 'node:http';

/** Headers of one response that are passed on, and characters of a value; providers send about a dozen short ones. */
const MAX_HEADERS = 48;
const MAX_VALUE_CHARACTERS = 256;
/** What every client and proxy takes in a header. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Takes the headers of a provider's response that its client gets, names in lower case. */
export type TakeResponseHeaders = (headers: Readonly<Record<string, string>>) => void;

/** Who reads the headers of a response: the gateway, which gets all of them, and the client. */
export interface ResponseHeadersReaders {
  readonly onHeaders?: (headers: IncomingHttpHeaders) => void;
  readonly onResponseHeaders?: TakeResponseHeaders;
}

/**
 * Reads what a client of the provider's own format gets of the headers of a response, errors included.
 *
 * @param prefixes of their names, as the definition of the provider has them
 * @param take undefined where the caller wants none
 * @returns undefined where there is nothing to read
 */
export function passedResponseHeaders(
  prefixes: readonly string[] | undefined,
  take: TakeResponseHeaders | undefined,
): ((headers: IncomingHttpHeaders) => void) | undefined {
  if (prefixes === undefined || take === undefined) return undefined;
  return (headers) => {
    let passed: Record<string, string> | undefined;
    let count = 0;
    for (const name in headers) {
      const value = headers[name];
      if (typeof value !== 'string' || value.length > MAX_VALUE_CHARACTERS || count >= MAX_HEADERS) continue;
      if (!prefixes.some((prefix) => name.startsWith(prefix)) || !PRINTABLE.test(value)) continue;
      (passed ??= {})[name] = value;
      count += 1;
    }
    if (passed !== undefined) take(passed);
  };
}

/**
 * Reads the headers of a response for the gateway itself and for its client.
 *
 * @param prefixes of the names that the client gets; undefined where it gets none
 */
export function responseHeadersReader(
  { onHeaders, onResponseHeaders }: ResponseHeadersReaders,
  prefixes: readonly string[] | undefined,
): ((headers: IncomingHttpHeaders) => void) | undefined {
  const passed = passedResponseHeaders(prefixes, onResponseHeaders);
  if (passed === undefined || onHeaders === undefined) return passed ?? onHeaders;
  return (headers) => {
    onHeaders(headers);
    passed(headers);
  };
}
