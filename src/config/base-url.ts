/** The end of an address that belongs to one endpoint, not to all endpoints of a provider. */
const ROUTES = [
  '(?:chat/)?completions',
  'responses',
  'messages(?:/count_tokens|/batches)?',
  'embeddings',
  'rerank',
  'moderations',
  'images/(?:generations|edits|variations)',
  'audio/(?:speech|transcriptions|translations)',
  'models/[^/]+:\\w+',
  'model/[^/]+/(?:converse|invoke)[\\w-]*',
];
const ROUTE = new RegExp(`/(?:${ROUTES.join('|')}|(?<=/v\\d\\w*/)(?:chat|models))/*$`, 'i');

/** Why a base URL cannot be used; undefined when it can. */
export function baseUrlFault(value: string): string | undefined {
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return 'must be a URL such as http://127.0.0.1:11434/v1';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not hold credentials; use api_key or headers';
  if (url.search !== '' || url.hash !== '') return 'must not have a query or a fragment';
  const route = ROUTE.exec(url.pathname)?.[0];
  if (route === undefined) return undefined;
  const base = `${url.origin}${url.pathname.slice(0, -route.length)}`;
  return `ends in the route ${route.replace(/\/+$/, '')}, which the gateway adds itself. Write ${base}`;
}
