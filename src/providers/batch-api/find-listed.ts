import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import type { BatchCall } from './batch-api.js';
import type { BatchClient } from './batch-client.js';

/** The most pages that a search reads. */
const MAX_PAGES = 50;

/** A list that is read page by page, each page with a token for the next one. */
interface TokenList {
  /** Path or address of a page. @param token of the page before; undefined for the first one */
  readonly pageOf: (token: string | undefined) => string;
  /** The member of a page with its entries. */
  readonly entries: string;
  /** The member of a page with the token of the next one. */
  readonly nextToken: string;
}

/** @returns the first entry of a list that is wanted; undefined where there is none */
export async function findListed(
  client: Pick<BatchClient, 'json'>,
  { pageOf, entries, nextToken }: TokenList,
  isWanted: (entry: JsonObject) => boolean,
  call: BatchCall,
): Promise<JsonObject | undefined> {
  let token: string | undefined;
  for (let index = 0; index < MAX_PAGES; index += 1) {
    const page = await client.json({ method: 'GET', path: pageOf(token) }, call);
    const list = page[entries];
    const found = Array.isArray(list) ? (list as unknown[]).filter(isObject).find(isWanted) : undefined;
    if (found !== undefined) return found;
    token = nonEmptyString(page[nextToken]);
    if (token === undefined) return undefined;
  }
  return undefined;
}

/** The last part of a resource's name or ARN, by which the API knows it as well. */
export function lastOfName(name: unknown): string | undefined {
  return typeof name === 'string' ? nonEmptyString(name.slice(name.lastIndexOf('/') + 1)) : undefined;
}
