import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';

/** The error that an upstream reports, in any of the known shapes. */
export interface UpstreamErrorBody {
  readonly message: string | undefined;
  readonly type: string | undefined;
  readonly param: string | undefined;
  readonly code: string | undefined;
  /** Whether it says that the content of the request was moderated, as OpenRouter does in `metadata`. */
  readonly isModerated: boolean;
  /** The parsed body; undefined if it is no JSON. */
  readonly body?: unknown;
}

const NOTHING: UpstreamErrorBody = {
  message: undefined,
  type: undefined,
  param: undefined,
  code: undefined,
  isModerated: false,
};
/** Objects within objects that are looked into. */
const MAX_DEPTH = 6;
/** Lines of a list of faults that are passed on. */
const MAX_FAULTS = 20;
/** Where servers put the reason, in the order in which they are asked. */
const MESSAGE_FIELDS = [
  'message',
  'Message',
  'msg',
  'detail',
  'details',
  'errors',
  'error_description',
  'errorMessage',
  'error_msg',
  'description',
  'reason',
  'title',
] as const;

/** HTML is a proxy's page about itself, which is of no use to a client. */
export function parseErrorBody(body: string): UpstreamErrorBody {
  const text = body.trim();
  if (text === '' || text.startsWith('<')) return NOTHING;
  try {
    const parsed: unknown = JSON.parse(text);
    return { ...readErrorBody(parsed), body: parsed };
  } catch {
    return readErrorBody({ message: text });
  }
}

/**
 * OpenAI's `{error:{...}}`, `{error:"..."}`, FastAPI's `{detail}`, Mistral's `{message:{detail}}`, Cohere's `{message}`,
 * AWS's `{Message}`, Google's list of one, problem documents, vLLM's flat object, and OpenRouter's words of the
 * provider behind it.
 */
export function readErrorBody(body: unknown): UpstreamErrorBody {
  return readAt(body, 0);
}

function readAt(body: unknown, depth: number): UpstreamErrorBody {
  if (depth > MAX_DEPTH) return NOTHING;
  if (Array.isArray(body)) return readAt(body[0], depth + 1);
  if (typeof body === 'string') return readAt({ message: body }, depth + 1);
  if (!isObject(body)) return NOTHING;
  const { error } = body;
  if (typeof error === 'string' && error !== '') {
    const own = readAt({ ...body, error: undefined, message: error }, depth + 1);
    // A bare name beside the reason, as in `{"error": "invalid_request", "message": "..."}`.
    const reason = identifier(error) === undefined ? undefined : messageOf({ ...body, error: undefined }, depth);
    return reason === undefined ? own : { ...own, message: reason, code: own.code ?? error };
  }
  if (Array.isArray(error)) return readAt(error, depth + 1);
  if (isObject(error)) {
    const inner = readAt(error, depth + 1);
    return inner.message === undefined ? { ...inner, message: messageOf({ ...body, error: undefined }, depth) } : inner;
  }
  return {
    message: withProviderWords(messageOf(body, depth), body['metadata'], depth),
    type: identifier(body['type']),
    param: nonEmptyString(body['param'])?.slice(0, 200) ?? paramOf(body, depth),
    code: identifier(body['code']) ?? identifier(body['status']),
    isModerated: isModeration(body['metadata']),
  };
}

/** OpenRouter: `{reasons: ["violence"], flagged_input}`. */
function isModeration(metadata: unknown): boolean {
  return isObject(metadata) && (Array.isArray(metadata['reasons']) || metadata['flagged_input'] !== undefined);
}

function messageOf(body: JsonObject, depth: number): string | undefined {
  for (const name of MESSAGE_FIELDS) {
    const text = textOf(body[name], depth + 1);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** A reason as a string, as a list of faults, within another object, or as JSON in a string. */
function textOf(value: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (typeof value === 'string') return nonEmptyString(textInJson(value, depth) ?? value.trim());
  if (Array.isArray(value)) {
    const lines = value.slice(0, MAX_FAULTS).map((fault: unknown) => faultText(fault, depth));
    return nonEmptyString(lines.filter((line) => line !== undefined).join('; '));
  }
  return isObject(value) ? readAt(value, depth).message : undefined;
}

/** A fault in a list: FastAPI's `{loc, msg}`, Google's `{field, description}`, JSON:API's `{detail}`, or a string. */
function faultText(fault: unknown, depth: number): string | undefined {
  if (!isObject(fault)) return textOf(fault, depth + 1);
  if (Array.isArray(fault['fieldViolations'])) return textOf(fault['fieldViolations'], depth + 1);
  const path = pathOf(fault);
  const text = textOf(fault['msg'], depth + 1) ?? readAt(fault, depth + 1).message;
  if (path === undefined) return text;
  return `${path}: ${text ?? 'is not valid'}`;
}

/** Proxies put the whole error of the server behind them into a string. */
function textInJson(text: string, depth: number): string | undefined {
  const start = text.trimStart();
  if (!start.startsWith('{') && !start.startsWith('[')) return undefined;
  try {
    return readAt(JSON.parse(text), depth + 1).message;
  } catch {
    return undefined;
  }
}

/** OpenRouter: "Provider returned error", and what it was in `metadata.raw`. */
function withProviderWords(message: string | undefined, metadata: unknown, depth: number): string | undefined {
  const words = isObject(metadata) ? textOf(metadata['raw'], depth + 1) : undefined;
  if (words === undefined || words === message) return message;
  return message === undefined ? words : `${message}: ${words}`;
}

/** The place of the first fault that names one. */
function paramOf(body: JsonObject, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  for (const name of ['detail', 'details', 'errors', 'message'] as const) {
    const value = body[name];
    if (isObject(value)) return paramOf(value, depth + 1);
    const faults = Array.isArray(value) ? value.filter(isObject) : [];
    const listed = faults.flatMap((fault) =>
      Array.isArray(fault['fieldViolations']) ? fault['fieldViolations'].filter(isObject) : [fault],
    );
    const path = listed.map(pathOf).find((each) => each !== undefined);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** `["body", "messages", 2, "content"]` as `messages[2].content`; or the one string that names the field. */
function pathOf(fault: JsonObject): string | undefined {
  const { loc } = fault;
  if (!Array.isArray(loc)) {
    const named = nonEmptyString(fault['field']) ?? nonEmptyString(fault['path']) ?? nonEmptyString(fault['param']);
    return named?.slice(0, 200);
  }
  let path = '';
  for (const step of loc.slice(loc[0] === 'body' ? 1 : 0)) {
    if (typeof step === 'number') path += `[${step}]`;
    else if (typeof step === 'string') path += path === '' ? step : `.${step}`;
  }
  return nonEmptyString(path)?.slice(0, 200);
}

/** A name that programs branch on; sentences and numbers are none. */
function identifier(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z][\w.:-]{0,99}$/.test(value) ? value : undefined;
}

/** The HTTP status that an error object names, as a number or in three digits. */
export function statusIn(error: JsonObject): number | undefined {
  for (const value of [error['status'], error['status_code'], error['code']]) {
    const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
    if (typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  return undefined;
}
