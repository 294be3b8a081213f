import type { RerankRequest } from '../../operations/rerank/rerank-request.js';
import type { DocumentGroup } from './rerank-wire.js';

/** Members that each wire format supports, or that the gateway handles itself. */
const ALWAYS_READ = [
  'model',
  'query',
  'documents',
  'top_n',
  'rank_fields',
  'return_documents',
  'strict_params',
  'metadata',
];

/** Names of the members that have a value and that a wire format does not read. */
export function unreadMembers(request: RerankRequest, read: readonly string[]): string[] {
  return Object.keys(request).filter(
    (name) => request[name] != null && !ALWAYS_READ.includes(name) && !read.includes(name),
  );
}

/** The documents of a group. */
export function documentsOf<T>(documents: readonly T[], { first, count }: DocumentGroup): readonly T[] {
  return count === documents.length ? documents : documents.slice(first, first + count);
}

/** How many results to ask for: no more than there are documents, which some providers refuse. Undefined for all. */
export function topOf({ top_n: top }: RerankRequest, { count }: DocumentGroup): number | undefined {
  return top == null ? undefined : Math.min(top, count);
}
