import type { IncomingHttpHeaders } from 'node:http';
import { providerCode } from '../../errors/error-codes.js';
import {
  GatewayError,
  rateLimitExceeded,
  retryAfter,
  upstreamError,
  upstreamTimeout,
} from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import { openAiOverflowMessage } from './context-overflow.js';
import { parseErrorBody, readErrorBody, statusIn, UpstreamErrorBody } from './read-error-body.js';
import { Redact, withoutAddresses } from './redact.js';
import { retryAfterMs, retryHintMs } from './retry-after.js';

/** Statuses by which a server says that the request itself is at fault. */
const ABOUT_THE_REQUEST = new Set([400, 404, 409, 413, 415, 422]);
/** 503, Groq's "flex tier is full", Anthropic's "overloaded", and "too early". */
const UNAVAILABLE = new Set([425, 498, 503, 529]);
/** 408, gateways' 504, and Cloudflare's "connection timed out" and "a timeout occurred". */
const TIMED_OUT = new Set([408, 504, 522, 524]);
const MAX_MESSAGE_CHARACTERS = 4000;
const MAX_LOGGED_CHARACTERS = 500;
/** Longest part of the provider's text that follows the gateway's own, in characters. */
const MAX_WORDS_CHARACTERS = 1000;

/** vLLM, llama.cpp, Ollama, Together, Mistral, DeepSeek, Groq, OpenRouter, Anthropic, Gemini, xAI, Bedrock and OpenAI itself. */
const CONTEXT_LENGTH =
  /maximum context length|context[ _](?:length|size|window)[^.]{0,40}exceed|exceed[^.]{0,60}context|context_length_exceeded|exceed_context_size|prompt is too long|too (?:many tokens|large for model)|input is too long|reduce the length of the (?:messages|prompt)|input length and `?max_tokens`? exceed|input token count[^.]{0,20}exceeds|maximum (?:prompt|model) length/i;
const UNKNOWN_MODEL =
  /model\b[^.]{0,200}(?:not found|does not exist|not exist|unknown)|(?:unknown|no such|invalid) model|models?\/\S{1,200} (?:is|was) not found|^model: \S+$/i;
/** Texts with which providers refuse a prompt's content: OpenRouter, OpenAI, Azure, Bedrock, Gemini, DashScope, Zhipu. */
const CONTENT_REFUSED =
  /content[_ -]?(?:policy|filter|management|moderation|safety|violation)|(?:input|prompt|request|message|content)s?\b[^.]{0,60}\b(?:flagged|moderat|blocked by|violat)|data_?inspection_?failed|moderation_blocked|safety (?:system|reasons|filter|polic)|responsible ?ai|guardrail|sensitive (?:content|words)|invalid_prompt|prohibited_content|inappropriate content/i;
const OUT_OF_QUOTA = /^(?:insufficient_quota|billing_hard_limit_reached|billing_not_active|insufficient_balance)$/;
/** The operator's account has no money, or its own limit is reached, said with a status of the request: Anthropic, Gemini, OpenAI, xAI, proxies. */
const OUT_OF_MONEY =
  /credit balance is too low|(?:insufficient|not enough|out of|any|no) (?:account )?(?:credits?|balance|funds)\b|reached your (?:specified )?(?:API )?(?:usage|spend(?:ing)?) limits?|(?:enable|check your plan and) billing|billing (?:hard limit|account|details)[^.]{0,60}(?:reached|disabled|inactive|not active|closed)|account is not active/i;
/** A limit of a day, which a wait of seconds does not end: OpenAI, Groq, Gemini, OpenRouter, Cerebras. */
const DAILY_LIMIT = /per[ _-]?day|\bdaily\b|\b(?:RPD|TPD|ASD)\b/i;
/** Characters of a body in which a daily limit is looked for. */
const MAX_SEARCHED_CHARACTERS = 8_000;
/** Gemini and some proxies say with a 400 that the operator's key is wrong. */
const BAD_KEY = /api[ _-]?key/i;
const BAD_KEY_VERDICT = /invalid|not valid|incorrect|expired|missing|revoked/i;

/**
 * The operator must check the provider's credentials or account; the upstream's text is not repeated.
 *
 * @param quota where the account has no quota or credit left; `waitMs` is when it has some again, where the provider says so
 */
function credentialsRefused(status: number, quota?: { readonly waitMs: number | undefined }): GatewayError {
  return upstreamError({
    ...(quota !== undefined && { isOutOfQuota: true, retryAfterMs: quota.waitMs }),
    message: `The upstream provider refused the gateway's credentials or account (HTTP ${status}). The operator of the gateway must check them.`,
  });
}

/**
 * The client's view of an upstream's error response. A refusal of the request itself keeps status, message, type, param and code;
 * everything else is constant text, since an upstream's own failures may contain internals of the operator.
 *
 * @param body the response as text, as far as it was read
 * @param now epoch milliseconds, for a `retry-after` that is a date
 */
export function mapErrorResponse(
  status: number,
  headers: IncomingHttpHeaders,
  body: string,
  redact: Redact,
  now: number,
): GatewayError {
  const refusal = parseErrorBody(body);
  const waitMs = retryAfterMs(headers, now) ?? retryHintMs(refusal.body, refusal.message);
  return reported(mapStatus(status, refusal, waitMs, redact), status, refusal, redact);
}

/** The error with the upstream's own words, for the log. */
function reported(
  error: GatewayError,
  status: number | undefined,
  { message, code, type }: UpstreamErrorBody,
  redact: Redact,
): GatewayError {
  const kind = code ?? type;
  error.upstream = {
    status,
    code: kind === undefined ? undefined : redact(kind),
    message: message === undefined ? undefined : redact(message.slice(0, MAX_LOGGED_CHARACTERS)),
  };
  return error;
}

/**
 * The client's view of an error object that was sent with status 200, in a plain response or within a stream. OpenRouter and vLLM
 * put an HTTP status into `code`, which then decides. Since there is no status otherwise, the provider's own message is added,
 * without keys and addresses.
 *
 * @param knownStatus the status that corresponds to the provider's own type of error, where the caller knows it
 */
export function mapErrorObject(error: unknown, redact: Redact, knownStatus?: number): GatewayError {
  const refusal = readErrorBody(isObject(error) && 'error' in error ? error : { error });
  return reported(mapRefusal(error, refusal, redact, knownStatus), undefined, refusal, redact);
}

function mapRefusal(error: unknown, refusal: UpstreamErrorBody, redact: Redact, knownStatus?: number): GatewayError {
  const inner = isObject(error) && isObject(error['error']) ? error['error'] : error;
  const waitMs = retryHintMs(error, refusal.message);
  if (refusal.code !== undefined && OUT_OF_QUOTA.test(refusal.code)) return credentialsRefused(200, { waitMs });
  const words = ownWords(refusal, redact);
  const isRateLimit = refusal.type === 'rate_limit_error' || refusal.code === 'rate_limit_exceeded';
  const status = knownStatus ?? (isObject(inner) ? statusIn(inner) : undefined) ?? (isRateLimit ? 429 : undefined);
  // "Too many tokens, please wait" is no overflow where the provider says that it is a limit of its rate.
  if (status === 429 || (status !== undefined && UNAVAILABLE.has(status))) {
    return mapStatus(status, refusal, waitMs, redact, words);
  }
  if (isContextLength(refusal)) return mapStatus(400, refusal, undefined, redact);
  if (isOutOfMoney(refusal)) return credentialsRefused(200, { waitMs });
  if (isBadKey(refusal)) return credentialsRefused(200);
  if (status !== undefined) return mapStatus(status, refusal, waitMs, redact, words);
  return upstreamError({ message: `The upstream provider reported an error instead of an answer.${words}` });
}

/** As the end of a message of the gateway's own; empty where the provider gave no reason. */
function ownWords({ message }: UpstreamErrorBody, redact: Redact): string {
  if (message === undefined) return '';
  const text = withoutAddresses(redact(message)).replace(/\s+/g, ' ').trim();
  return text === '' ? '' : ` It says: ${cut(text, MAX_WORDS_CHARACTERS)}`;
}

function mapStatus(
  status: number,
  refusal: UpstreamErrorBody,
  waitMs: number | undefined,
  redact: Redact,
  words = '',
): GatewayError {
  const outOfQuota = OUT_OF_QUOTA.test(refusal.code ?? '') || OUT_OF_QUOTA.test(refusal.type ?? '');
  // Refused content is the request's fault, whichever status the provider uses.
  if ((status === 403 || status === 451) && isContentRefused(refusal)) return refused(status, refusal, redact);
  if (status === 402 || (status < 500 && (outOfQuota || (status !== 429 && isOutOfMoney(refusal))))) {
    return credentialsRefused(status, { waitMs });
  }
  if (status === 401 || status === 403) return credentialsRefused(status);
  if (status === 429) return rateLimited(waitMs, words, isLongLimit(refusal));
  if (TIMED_OUT.has(status)) {
    return upstreamTimeout({ message: `The upstream provider ran out of time (HTTP ${status}).${words}` });
  }
  if (UNAVAILABLE.has(status)) {
    return new GatewayError({
      status: 503,
      type: 'server_error',
      code: 'upstream_unavailable',
      message: `The upstream provider cannot take the request now (HTTP ${status}). Try again later.${words}`,
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
    // A 404 that says nothing of a model comes from a wrong base URL, which no client can fix.
    if (status !== 404 || isUnknownModel(refusal)) return refused(status, refusal, redact);
  }
  return upstreamError({ message: `The upstream provider failed (HTTP ${status}).${words}` });
}

function refused(status: number, refusal: UpstreamErrorBody, redact: Redact): GatewayError {
  let message = refusal.message ?? `The upstream provider refused the request (HTTP ${status}).`;
  let code = refusal.code ?? null;
  if (isContextLength(refusal)) {
    code = 'context_length_exceeded';
    message = openAiOverflowMessage(message);
  } else if (status === 404 && (code === null || code === 'NOT_FOUND')) code = 'model_not_found';
  else if (isContentRefused(refusal)) code ??= 'content_filter';
  return new GatewayError({
    status,
    type: refusal.type ?? 'invalid_request_error',
    code: code === null ? null : providerCode(redact(code)),
    message: redact(cut(message, MAX_MESSAGE_CHARACTERS)),
    param: refusal.param === undefined ? null : redact(refusal.param),
    retryable: false,
    isContentRefusal: isContentRefused(refusal) && !isContextLength(refusal),
  });
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}

function rateLimited(waitMs: number | undefined, words: string, isOutOfQuota: boolean): GatewayError {
  return rateLimitExceeded({
    isOutOfQuota,
    message: `The upstream provider's rate limit is reached. Wait and try again.${words}`,
    retryable: true,
    retryAfterMs: waitMs,
  });
}

function isContextLength({ code, message, type }: UpstreamErrorBody): boolean {
  return [code, type, message].some((text) => text !== undefined && CONTEXT_LENGTH.test(text));
}

function isContentRefused({ code, message, type, isModerated }: UpstreamErrorBody): boolean {
  return isModerated || [code, type, message].some((text) => text !== undefined && CONTENT_REFUSED.test(text));
}

function isUnknownModel({ code, message, param }: UpstreamErrorBody): boolean {
  return code === 'model_not_found' || param === 'model' || UNKNOWN_MODEL.test(message ?? '');
}

function isOutOfMoney({ message }: UpstreamErrorBody): boolean {
  return message !== undefined && OUT_OF_MONEY.test(message);
}

/** A limit that lasts for hours. Gemini names it in the details of its error alone, and speaks of billing at each of its limits. */
function isLongLimit(refusal: UpstreamErrorBody): boolean {
  const { message = '', code = '', body } = refusal;
  if (isOutOfMoney(refusal) && code !== 'RESOURCE_EXHAUSTED') return true;
  if (DAILY_LIMIT.test(code) || DAILY_LIMIT.test(message)) return true;
  return body !== undefined && DAILY_LIMIT.test(JSON.stringify(body).slice(0, MAX_SEARCHED_CHARACTERS));
}

function isBadKey({ code, message }: UpstreamErrorBody): boolean {
  if (code === 'invalid_api_key') return true;
  return message !== undefined && BAD_KEY.test(message) && BAD_KEY_VERDICT.test(message);
}
