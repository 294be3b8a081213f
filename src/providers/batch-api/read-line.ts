import { isObject, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { parseExact, printExact } from '../../runtime/exact-integers.js';
import type { PartResult } from './batch-api.js';

/** Statuses of Anthropic's types of errors. Source: https://docs.claude.com/en/api/errors */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  timeout_error: 504,
  overloaded_error: 529,
};

/** A line of OpenAI's output and error files: `{custom_id, response: {status_code, body}, error}`. Undefined where it is none. */
export function readOpenAiLine(line: string): PartResult | undefined {
  const value = parsed(line);
  const customId = value?.['custom_id'];
  if (value === undefined || typeof customId !== 'string') return undefined;
  const { status_code: status, body } = objectOf(value['response']);
  if (!isObject(body)) return { customId, response: undefined };
  // A line that the provider did not process has an error in place of a status.
  if (typeof status !== 'number') return { customId, response: undefined };
  return { customId, response: { status, text: printExact(body) } };
}

/** A line of the results of a message batch: `{custom_id, result: {type, message | error}}`. Undefined where it is none. */
export function readAnthropicLine(line: string): PartResult | undefined {
  const value = parsed(line);
  const customId = value?.['custom_id'];
  if (value === undefined || typeof customId !== 'string') return undefined;
  const { type, message, error } = objectOf(value['result']);
  if (type === 'succeeded' && isObject(message)) {
    return { customId, response: { status: 200, text: printExact(message) } };
  }
  if (type === 'errored' && isObject(error)) {
    const { type: kind } = objectOf(error['error'] ?? error);
    const status = typeof kind === 'string' ? (STATUSES[kind] ?? 500) : 500;
    return { customId, response: { status, text: printExact(error) } };
  }
  return type === 'canceled' || type === 'expired' ? { customId, response: undefined } : undefined;
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value = parseExact(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
