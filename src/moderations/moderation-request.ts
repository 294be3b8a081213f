import { invalidRequest, type GatewayError } from '../errors/gateway-error.js';
import { assertDeclared } from '../http/assert-declared.js';
import { isObject } from '../runtime/json-value.js';
import { MAX_MODERATION_INPUTS, type ModerationRequest } from '../operations/moderations/moderation-request.js';
import { ModerationRequestDto } from './moderations.dto.js';

const EXPECTED =
  'a string, an array of strings, or an array of parts such as {"type": "text", "text": "..."} and {"type": "image_url", "image_url": {"url": "..."}}';

/**
 * Checks the body of `POST /v1/moderations` and returns the very object that was parsed.
 *
 * @param defaultModel for a request that names none
 * @throws GatewayError 400 for the first fault, `param` naming its path
 */
export function parseModerationRequest(body: unknown, defaultModel: () => string): ModerationRequest {
  assertDeclared(ModerationRequestDto, body);
  const { input } = body;
  if (typeof input !== 'string') assertInputs(input);
  body['model'] ??= defaultModel();
  return body as unknown as ModerationRequest;
}

function assertInputs(input: unknown): void {
  if (!Array.isArray(input)) throw invalidRequest(`'input' must be ${EXPECTED}.`, 'input', 'invalid_type');
  const items: readonly unknown[] = input;
  if (items.length === 0) {
    throw invalidRequest("'input' must not be empty. Send at least one text.", 'input', 'empty_array');
  }
  if (items.length > MAX_MODERATION_INPUTS) {
    throw invalidRequest(
      `'input' has ${items.length} items, and at most ${MAX_MODERATION_INPUTS} can be sent at once.`,
      'input',
      'array_above_max_length',
    );
  }
  const isText = typeof items[0] === 'string';
  for (const [index, item] of items.entries()) {
    const path = `input[${index}]`;
    if (isText ? typeof item === 'string' : isObject(item)) {
      if (!isText) assertPart(item as Record<string, unknown>, path);
    } else
      throw invalidRequest(
        `'${path}' is not like the items before it: 'input' must be ${EXPECTED}.`,
        path,
        'invalid_type',
      );
  }
}

function assertPart({ type, text, image_url: image }: Record<string, unknown>, path: string): void {
  if (typeof type !== 'string') throw missing(`${path}.type`, 'a string such as "text"', type);
  if (type === 'text' && typeof text !== 'string') throw missing(`${path}.text`, 'a string', text);
  if (type === 'image_url' && !(isObject(image) && typeof image['url'] === 'string')) {
    throw missing(`${path}.image_url`, 'an object such as {"url": "https://..."}', image);
  }
}

function missing(path: string, expected: string, value: unknown): GatewayError {
  const code = value == null ? 'missing_required_parameter' : 'invalid_type';
  return invalidRequest(`'${path}' must be ${expected}.`, path, code);
}
