import { invalidRequest } from '../errors/gateway-error.js';
import { assertDeclared } from '../http/assert-declared.js';
import { isObject } from '../runtime/json-value.js';
import { MAX_DOCUMENTS, type RerankRequest } from '../operations/rerank/rerank-request.js';
import { RerankRequestDto } from './rerank.dto.js';

/**
 * Checks the body of `POST /v1/rerank` or `/v2/rerank` and returns the very object that was parsed.
 *
 * @throws GatewayError 400 for the first fault, `param` naming its path
 */
export function parseRerankRequest(body: unknown): RerankRequest {
  assertDeclared(RerankRequestDto, body);
  const documents = body['documents'] as readonly unknown[];
  if (documents.length === 0) {
    throw invalidRequest("'documents' must not be empty. Send at least one document.", 'documents', 'empty_array');
  }
  if (documents.length > MAX_DOCUMENTS) {
    throw invalidRequest(
      `'documents' has ${documents.length} items, and at most ${MAX_DOCUMENTS} can be ranked at once.`,
      'documents',
      'array_above_max_length',
    );
  }
  const wrong = documents.findIndex((document) => typeof document !== 'string' && !isObject(document));
  if (wrong !== -1) {
    const path = `documents[${wrong}]`;
    throw invalidRequest(`'${path}' must be a string or an object such as {"text": "..."}.`, path, 'invalid_type');
  }
  return body as unknown as RerankRequest;
}
