import { invalidRequest, type GatewayError } from '../errors/gateway-error.js';
import { assertDeclared } from '../http/assert-declared.js';
import { MAX_EMBEDDING_INPUTS, type EmbeddingRequest } from '../operations/embeddings/embedding-request.js';
import { EmbeddingRequestDto } from './embeddings.dto.js';

const EXPECTED = 'a string, an array of strings, an array of tokens, or an array of arrays of tokens';

/**
 * Validates the body of `POST /v1/embeddings` and returns the very object that was parsed.
 *
 * @throws GatewayError 400 for the first fault, `param` naming its path
 */
export function parseEmbeddingRequest(body: unknown): EmbeddingRequest {
  assertDeclared(EmbeddingRequestDto, body);
  const { input } = body;
  if (typeof input !== 'string') assertInputs(input);
  return body as unknown as EmbeddingRequest;
}

function assertInputs(input: unknown): void {
  if (!Array.isArray(input)) throw wrongType('input');
  const items: readonly unknown[] = input;
  const [first] = items;
  if (first === undefined) throw empty('input');
  if (typeof first === 'number') {
    assertTokens(items, 'input');
    return;
  }
  if (items.length > MAX_EMBEDDING_INPUTS) {
    throw invalidRequest(
      `'input' has ${items.length} items, and at most ${MAX_EMBEDDING_INPUTS} can be sent at once. Send several requests.`,
      'input',
      'array_above_max_length',
    );
  }
  const isText = typeof first === 'string';
  for (const [index, item] of items.entries()) {
    const path = `input[${index}]`;
    if (isText && typeof item === 'string') continue;
    // Texts and tokens cannot be mixed, neither here nor with any provider.
    if (isText || !Array.isArray(item)) throw wrongType(path);
    if (item.length === 0) throw empty(path);
    assertTokens(item, path);
  }
}

function assertTokens(tokens: readonly unknown[], path: string): void {
  const at = tokens.findIndex((token) => !Number.isSafeInteger(token) || (token as number) < 0);
  if (at === -1) return;
  throw invalidRequest(
    `'${path}[${at}]' must be a token: a whole number of 0 or more.`,
    `${path}[${at}]`,
    'invalid_type',
  );
}

function wrongType(path: string): GatewayError {
  return invalidRequest(
    path === 'input'
      ? `'input' must be ${EXPECTED}.`
      : `'${path}' is not like the items before it: 'input' must be ${EXPECTED}.`,
    path,
    'invalid_type',
  );
}

function empty(path: string): GatewayError {
  return invalidRequest(
    `'${path}' must not be empty. Send at least one ${path === 'input' ? 'text' : 'token'}.`,
    path,
    'empty_array',
  );
}
