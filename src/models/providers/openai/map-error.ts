import type { IncomingHttpHeaders } from 'node:http';
import { providerCode } from '../../../errors/error-codes.js';
import {
  GatewayError,
  rateLimitExceeded,
  retryAfter,
  upstreamError,
  upstreamTimeout,
} from '../../../errors/gateway-error.js';
import { isObject, JsonObject, nonEmptyString } from '../../../json/json-value.js';
import type { Redact } from './redact.js';
import { retryAfterMs } from './retry-after.js';

/** What an upstream says of a failure, whatever shape it says it in. */
interface UpstreamRefusal {
  message: string | undefined;
  type: string | undefined;
  param: string | undefined;
  code: string | undefined;
  /** Whether it says that the content of the request was moderated, as OpenRouter does in `metadata`. */
  isModerated: boolean;
}

/** Statuses by which a server says that the request itself is at fault. */
const ABOUT_THE_REQUEST = new Set([400, 404, 409, 413, 415, 422]);
/** 503, Groq's "flex tier is full", Anthropic's "overloaded", and "too early". */
const UNAVAILABLE = new Set([425, 498, 503, 529]);
/** 408, gateways' 504, and Cloudflare's "connection timed out" and "a timeout occurred". */
const TIMED_OUT = new Set([408, 504, 522, 524]);
const MAX_MESSAGE_LENGTH = 4000;
const MAX_LOGGED_LENGTH = 500;

/** vLLM, llama.cpp, Ollama, Together, Mistral, DeepSeek, Groq, OpenRouter and OpenAI itself, in this order of likeness. */
const CONTEXT_LENGTH =
  /maximum context length|context[ _](?:length|size|window)[^.]{0,40}exceed|exceed[^.]{0,60}context|context_length_exceeded|exceed_context_size|prompt is too long|too (?:many tokens|large for model)|input is too long|reduce the length of the (?:messages|prompt)|input length and `?max_tokens`? exceed/i;
const UNKNOWN_MODEL =
  /model\b[^.]{0,200}(?:not found|does not exist|not exist|unknown)|(?:unknown|no such|invalid) model/i;
/** How providers say that they will not answer such a prompt: OpenRouter, OpenAI, Azure, Bedrock, Gemini, DashScope, Zhipu. */
const CONTENT_REFUSED =
  /content[_ -]?(?:policy|filter|management|moderation|safety|violation)|(?:input|prompt|request|message|content)s?\b[^.]{0,60}\b(?:flagged|moderat|blocked by|violat)|data_?inspection_?failed|moderation_blocked|safety (?:system|reasons|filter|polic)|responsible ?ai|guardrail|sensitive (?:content|words)|invalid_prompt|prohibited_content|inappropriate content/i;
const OUT_OF_QUOTA = /^(?:insufficient_quota|billing_hard_limit_reached|billing_not_active|insufficient_balance)$/;
/** Gemini and some proxies say with a 400 that the operator's key is wrong. */
const BAD_KEY = /api[ _-]?key/i;
const BAD_KEY_VERDICT = /invalid|not valid|incorrect|expired|missing|revoked/i;

/** The operator must look at the provider's credentials or account; no word of the upstream's is repeated. */
function credentialsRefused(status: number): GatewayError {
  return upstreamError({
    message: `The upstream provider refused the gateway's credentials or account (HTTP ${status}). The operator of the gateway must check them.`,
  });
}

/**
 * What a client sees of an upstream's answer that is not a success. A refusal of the request itself keeps status,
 * message, type, param and code; everything else is constant text, since an upstream's own failures may name what is
 * the operator's business alone.
 *
 * @param body the answer as text, as far as it was read
 * @param now epoch milliseconds, for a `retry-after` that is a date
 */
export function mapErrorAnswer(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  redact: Redact,
  now: number,
): GatewayError {
  const refusal = parseRefusal(body);
  return reported(mapStatus(status, refusal, retryAfterMs(headers, now), redact), status, refusal, redact);
}

/** The error with the upstream's own words, for the log. */
function reported(
  error: GatewayError,
  status: number | undefined,
  { message, code, type }: UpstreamRefusal,
  redact: Redact,
): GatewayError {
  const kind = code ?? type;
  error.upstream = {
    status,
    code: kind === undefined ? undefined : redact(kind),
    message: message === undefined ? undefined : redact(message.slice(0, MAX_LOGGED_LENGTH)),
  };
  return error;
}

/**
 * What a client sees of an error object that came with status 200, in a plain answer or in the middle of a stream.
 * OpenRouter and vLLM put an HTTP status into `code`, which then decides.
 */
export function mapErrorObject(error: unknown, redact: Redact): GatewayError {
  const refusal = readRefusal(isObject(error) && 'error' in error ? error : { error });
  return reported(mapRefusal(error, refusal, redact), undefined, refusal, redact);
}

function mapRefusal(error: unknown, refusal: UpstreamRefusal, redact: Redact): GatewayError {
  const inner = isObject(error) && isObject(error['error']) ? error['error'] : error;
  if (refusal.code !== undefined && OUT_OF_QUOTA.test(refusal.code)) return credentialsRefused(200);
  if (isContextLength(refusal)) return mapStatus(400, refusal, undefined, redact);
  const status = isObject(inner) ? statusOf(inner) : undefined;
  if (status !== undefined) return mapStatus(status, refusal, undefined, redact);
  if (refusal.type === 'rate_limit_error' || refusal.code === 'rate_limit_exceeded') {
    return mapStatus(429, refusal, undefined, redact);
  }
  return upstreamError({ message: 'The upstream provider reported an error instead of an answer.' });
}

function mapStatus(status: number, refusal: UpstreamRefusal, waitMs: number | undefined, redact: Redact): GatewayError {
  const outOfQuota = OUT_OF_QUOTA.test(refusal.code ?? '') || OUT_OF_QUOTA.test(refusal.type ?? '');
  // What the provider will not answer is the request's fault, whatever status it is told with.
  if ((status === 403 || status === 451) && isContentRefused(refusal)) return refused(status, refusal, redact);
  if (status === 401 || status === 402 || status === 403 || (status < 500 && outOfQuota)) {
    return credentialsRefused(status);
  }
  if (status === 429) return rateLimited(waitMs);
  if (TIMED_OUT.has(status)) {
    return upstreamTimeout({ message: `The upstream provider ran out of time (HTTP ${status}).` });
  }
  if (UNAVAILABLE.has(status)) {
    return new GatewayError({
      status: 503,
      type: 'server_error',
      code: 'upstream_unavailable',
      message: `The upstream provider cannot take the request now (HTTP ${status}). Try again later.`,
      retryable: true,
      ...retryAfter(waitMs),
    });
  }
  if (status >= 300 && status < 400) {
    return upstreamError({
      message: `The upstream provider answered with a redirect (HTTP ${status}), which the gateway does not follow.`,
    });
  }
  if (ABOUT_THE_REQUEST.has(status)) {
    if (isBadKey(refusal)) return credentialsRefused(status);
    // A 404 that says nothing of a model comes from a wrong base URL, which no client can mend.
    if (status !== 404 || isUnknownModel(refusal)) return refused(status, refusal, redact);
  }
  return upstreamError({ message: `The upstream provider failed (HTTP ${status}).` });
}

function refused(status: number, refusal: UpstreamRefusal, redact: Redact): GatewayError {
  const message = refusal.message ?? `The upstream provider refused the request (HTTP ${status}).`;
  let code = refusal.code ?? null;
  if (isContextLength(refusal)) code = 'context_length_exceeded';
  else if (status === 404) code ??= 'model_not_found';
  else if (isContentRefused(refusal)) code ??= 'content_filter';
  return new GatewayError({
    status,
    type: refusal.type ?? 'invalid_request_error',
    code: code === null ? null : providerCode(redact(code)),
    message: redact(message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}...` : message),
    param: refusal.param === undefined ? null : redact(refusal.param),
    retryable: false,
  });
}

function rateLimited(waitMs: number | undefined): GatewayError {
  return rateLimitExceeded({
    message: "The upstream provider's rate limit is reached. Wait and try again.",
    retryable: true,
    retryAfterMs: waitMs,
  });
}

function isContextLength({ code, message, type }: UpstreamRefusal): boolean {
  return [code, type, message].some((text) => text !== undefined && CONTEXT_LENGTH.test(text));
}

function isContentRefused({ code, message, type, isModerated }: UpstreamRefusal): boolean {
  return isModerated || [code, type, message].some((text) => text !== undefined && CONTENT_REFUSED.test(text));
}

function isUnknownModel({ code, message, param }: UpstreamRefusal): boolean {
  return code === 'model_not_found' || param === 'model' || UNKNOWN_MODEL.test(message ?? '');
}

function isBadKey({ code, message }: UpstreamRefusal): boolean {
  if (code === 'invalid_api_key') return true;
  return message !== undefined && BAD_KEY.test(message) && BAD_KEY_VERDICT.test(message);
}

/** HTML is a proxy's page about itself, so it says nothing to a client. */
function parseRefusal(body: string): UpstreamRefusal {
  const text = body.trim();
  if (text === '' || text.startsWith('<')) return readRefusal(undefined);
  try {
    return readRefusal(JSON.parse(text));
  } catch {
    return readRefusal({ message: text });
  }
}

const NOTHING_SAID: UpstreamRefusal = {
  message: undefined,
  type: undefined,
  param: undefined,
  code: undefined,
  isModerated: false,
};

/** OpenRouter: `{reasons: ["violence"], flagged_input}`. */
function isModeration(metadata: unknown): boolean {
  return isObject(metadata) && (Array.isArray(metadata['reasons']) || metadata['flagged_input'] !== undefined);
}

/** OpenAI's `{error:{...}}`, `{error:"..."}`, FastAPI's `{detail}`, `{message}`, vLLM's flat object, or a list of one. */
function readRefusal(body: unknown): UpstreamRefusal {
  if (Array.isArray(body)) return readRefusal(body[0]);
  if (typeof body === 'string') return readRefusal({ message: body });
  if (!isObject(body)) return NOTHING_SAID;
  const { error, detail } = body;
  if (typeof error === 'string') return readRefusal({ ...body, error: undefined, message: error });
  if (isObject(error)) return readRefusal({ message: error['msg'], ...error, error: undefined });
  return {
    message: nonEmptyString(body['message']) ?? detailText(detail),
    type: identifier(body['type']),
    param: nonEmptyString(body['param'])?.slice(0, 200) ?? detailParam(detail),
    code: identifier(body['code']),
    isModerated: isModeration(body['metadata']),
  };
}

/** FastAPI: a string, or a list of `{loc, msg, type}`. */
function detailText(detail: unknown): string | undefined {
  if (typeof detail === 'string') return nonEmptyString(detail);
  if (isObject(detail)) return nonEmptyString(detail['message']) ?? nonEmptyString(detail['msg']);
  if (!Array.isArray(detail)) return undefined;
  const lines = detail.filter(isObject).map((fault) => {
    const path = pathOf(fault);
    const text = nonEmptyString(fault['msg']) ?? 'is not valid';
    return path === undefined ? text : `${path}: ${text}`;
  });
  return nonEmptyString(lines.join('; '));
}

function detailParam(detail: unknown): string | undefined {
  const first: unknown = Array.isArray(detail) ? detail[0] : undefined;
  return isObject(first) ? pathOf(first) : undefined;
}

/** `["body", "messages", 2, "content"]` as `messages[2].content`. */
function pathOf(fault: JsonObject): string | undefined {
  const { loc } = fault;
  if (!Array.isArray(loc)) return undefined;
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

function statusOf(error: JsonObject): number | undefined {
  for (const value of [error['status'], error['status_code'], error['code']]) {
    const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
    if (typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  return undefined;
}
