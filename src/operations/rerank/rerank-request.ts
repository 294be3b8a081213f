import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

/**
 * A rerank request, as Cohere and Jina have it and as the client sent it. Members that are not named here pass through to
 * providers of Jina's format. An explicit null means absent.
 */
export interface RerankRequest {
  readonly model: string;
  readonly query: string;
  /** Texts, or objects with a text and further fields. */
  readonly documents: readonly (string | JsonObject)[];
  /** How many results, best first; all of them where it is absent. */
  readonly top_n?: number | null;
  /** Whether each result has its document. Default false. */
  readonly return_documents?: boolean | null;
  /** The fields of object documents that are compared with the query. Default `text`. */
  readonly rank_fields?: readonly string[] | null;
  readonly [field: string]: unknown;
}

/** Most documents of one request, as Cohere has it. */
export const MAX_DOCUMENTS = 10_000;

/**
 * The documents as texts, for providers that take texts alone. An object is its `text`, or its `rank_fields`: the value of a
 * single one, or several as lines of `name: value`.
 *
 * @throws GatewayError 400 for an object that has none of the fields
 */
export function documentTexts({ documents, rank_fields: names }: RerankRequest): string[] {
  const fields = names != null && names.length > 0 ? names : ['text'];
  return documents.map((document, index) => {
    if (typeof document === 'string') return document;
    const texts = fields.flatMap((name) => {
      const text = textOf(document[name]);
      return text === undefined ? [] : [{ name, text }];
    });
    const [first, ...others] = texts;
    if (first === undefined) throw noText(index, fields);
    if (others.length === 0) return first.text;
    return texts.map(({ name, text }) => `${name}: ${text}`).join('\n');
  });
}

/** All of a document as text, for an estimate of its tokens. */
export function documentContent(document: string | JsonObject): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

/** A document as results carry it. */
export function documentObject(document: string | JsonObject): JsonObject {
  return isObject(document) ? document : { text: document };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value == null ? undefined : JSON.stringify(value);
}

function noText(index: number, fields: readonly string[]): Error {
  const path = `documents[${index}]`;
  const wanted = fields.length === 1 ? `the field '${fields.join('')}'` : `one of the fields ${fields.join(', ')}`;
  return invalidRequest(
    `'${path}' must have ${wanted}. Add it, or name other fields in rank_fields.`,
    path,
    'missing_required_parameter',
  );
}
