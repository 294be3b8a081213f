import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
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
  if (typeof status !== 'number' || !isStatus(status)) return { customId, response: undefined };
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

/** Statuses of the codes of google.rpc.Status. Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const RPC_STATUSES: readonly number[] = [
  ...[200, 499, 500, 400, 504, 404, 409, 403],
  ...[429, 400, 409, 400, 501, 500, 503, 500, 401],
];
/** The code of a request that was not processed because its batch was cancelled. */
const RPC_CANCELLED = 1;

/**
 * A line of the responses of Gemini's batches: `{key, response | error}`; a response that is a part of the batch has its key in
 * `metadata`. Undefined where it is none.
 */
export function readContentLine(line: string | JsonObject): PartResult | undefined {
  const value = typeof line === 'string' ? parsed(line) : line;
  const customId = value?.['key'] ?? objectOf(value?.['metadata'])['key'];
  if (value === undefined || typeof customId !== 'string') return undefined;
  const { response, error = value['status'] } = value;
  if (isObject(response)) return { customId, response: { status: 200, text: printExact(response) } };
  return isObject(error) ? { customId, response: responseOfStatus(error) } : undefined;
}

/** A line of the output of Bedrock's jobs: `{recordId, modelOutput | error: {errorCode, errorMessage}}`. Undefined where it is none. */
export function readRecordLine(line: string): PartResult | undefined {
  const value = parsed(line);
  const customId = value?.['recordId'];
  if (value === undefined || typeof customId !== 'string') return undefined;
  const { modelOutput, error } = value;
  if (isObject(modelOutput)) return { customId, response: { status: 200, text: printExact(modelOutput) } };
  if (!isObject(error)) return { customId, response: undefined };
  const { errorCode, errorMessage: message } = error;
  return { customId, response: { status: errorStatus(Number(errorCode)), text: printExact({ message }) } };
}

/** The label of a request that is the name of its line, in jobs of Vertex AI. */
export const LINE_LABEL = 'gateway_line';

/**
 * A line of the output of Vertex AI's jobs: `{request, response, status}`, where `status` is empty or has the error. The name of
 * the line is a label of the request, or the `custom_id` of one to Claude. Undefined where it is none.
 */
export function readPredictionLine(line: string): PartResult | undefined {
  const value = parsed(line);
  const customId = value?.['custom_id'] ?? objectOf(objectOf(value?.['request'])['labels'])[LINE_LABEL];
  if (value === undefined || typeof customId !== 'string') return undefined;
  const { response, status } = value;
  const error = objectOf(response)['error'];
  if (isObject(response) && !isObject(error) && Object.keys(response).length > 0) {
    return { customId, response: { status: 200, text: printExact(response) } };
  }
  if (isObject(error)) {
    // That of Claude has a type, that of Gemini a code.
    const { type } = error;
    if (typeof type !== 'string') return { customId, response: responseOfStatus(error) };
    return { customId, response: { status: STATUSES[type] ?? 500, text: printExact(response) } };
  }
  if (isObject(status)) return { customId, response: responseOfStatus(status) };
  const text = nonEmptyString(status);
  return { customId, response: text === undefined ? undefined : responseOfText(text) };
}

/** The error in a text such as `Bad Request: {"error": {"code": 400}}`. */
function responseOfText(text: string): PartResult['response'] {
  const body = text.includes('{') ? parsed(text.slice(text.indexOf('{'))) : undefined;
  const error = objectOf(body?.['error'] ?? body);
  if (error['code'] !== undefined) return responseOfStatus(error);
  const code = Number(/(?<!\d)[45]\d\d(?!\d)/.exec(text)?.[0]);
  return responseOfStatus({ code: errorStatus(code), message: text });
}

/** The error response that a google.rpc.Status stands for, whose code some services give as an HTTP status. */
export function responseOfStatus(error: JsonObject): PartResult['response'] {
  const { code } = error;
  if (code === RPC_CANCELLED) return undefined;
  const status = errorStatus(typeof code === 'number' ? (RPC_STATUSES[code] ?? code) : Number.NaN);
  return { status, text: printExact({ error: { ...error, code: status } }) };
}

function isStatus(code: number): boolean {
  return Number.isInteger(code) && code >= 100 && code <= 599;
}

/** An HTTP status of an error; 500 for any other number. */
function errorStatus(code: number): number {
  return isStatus(code) && code >= 400 ? code : 500;
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value = parseExact(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
