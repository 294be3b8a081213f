import { setTimeout as sleep } from 'node:timers/promises';
import { request as send } from 'undici';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { VERSION } from '../../runtime/version.js';
import { LoginError } from './login-error.js';

/** Longest time of one try in milliseconds: connection, request and the whole response. */
export const TOKEN_TIMEOUT_MS = 5_000;
/** The same for services on the machine or next to it, which respond within milliseconds or not at all. */
export const METADATA_TIMEOUT_MS = 2_000;
const MAX_TRIES = 3;
/** Pause before the second try in milliseconds. It doubles with each try, and half of it is random. */
const FIRST_PAUSE_MS = 100;
/** Far longer than any token. */
const MAX_RESPONSE_BYTES = 1_048_576;
/** Longest part of a service's error text that is kept, in characters. */
const MAX_WORDS_CHARACTERS = 500;
/** Too many requests, and a request that came too slowly. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/** A request to a service that gives credentials. */
export interface TokenRequest {
  /** The name of the service in errors, such as `AWS STS`. */
  readonly service: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: URLSearchParams;
  /** Of each try. Default `TOKEN_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
  /** Statuses below 500 that a service sends while it is not ready. */
  readonly transientStatuses?: readonly number[];
  /** Texts that must not appear in an error, although the service may quote them. */
  readonly secrets?: readonly (string | undefined)[];
}

/** The response of a token service. */
export interface TokenResponse {
  readonly status: number;
  readonly text: string;
}

/** A message without the given secrets, and not too long. */
export function withoutSecrets(text: string, secrets: TokenRequest['secrets'] = []): string {
  let clean = text;
  for (const secret of secrets)
    if (secret !== undefined && secret !== '') clean = clean.replaceAll(secret, '[redacted]');
  return clean.replace(/\s+/g, ' ').trim().slice(0, MAX_WORDS_CHARACTERS);
}

/**
 * Sends a request, up to three times where it fails for reasons that pass. Redirects are not followed, since they could lead
 * the secret elsewhere.
 *
 * @returns the response, whose status is one that does not pass by itself
 * @throws LoginError transient, when no try had such a response
 */
export async function requestToken(request: TokenRequest): Promise<TokenResponse> {
  for (let tries = 1; ; tries += 1) {
    let failure: LoginError;
    try {
      const response = await sendOnce(request);
      if (!isTransient(response.status, request)) return response;
      failure = new LoginError(`${request.service} failed with HTTP ${response.status}.`, true, response.status);
    } catch (error) {
      if (error instanceof LoginError) throw error;
      failure = new LoginError(
        `${request.service} cannot be reached: ${reasonOf(error)}.`,
        true,
        undefined,
        codeOf(error),
      );
    }
    if (tries === MAX_TRIES) throw failure;
    await sleep(FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2));
  }
}

function isTransient(status: number, { transientStatuses = [] }: TokenRequest): boolean {
  return status >= 500 || TRANSIENT_STATUSES.has(status) || transientStatuses.includes(status);
}

async function sendOnce({
  service,
  method,
  url,
  headers,
  form,
  timeoutMs = TOKEN_TIMEOUT_MS,
}: TokenRequest): Promise<TokenResponse> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { statusCode: status, body } = await send(url, {
    method,
    signal,
    headers: {
      'user-agent': `llm-gateway/${VERSION}`,
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    ...(form !== undefined && { body: form.toString() }),
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) {
      throw new LoginError(`${service} sent a response of more than ${MAX_RESPONSE_BYTES} bytes.`, true, status);
    }
    chunks.push(chunk);
  }
  return { status, text: Buffer.concat(chunks).toString('utf8') };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  const name = typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : 'unknown error';
  if (name === 'TimeoutError') return 'it did not respond in time';
  return codeOf(error) ?? name;
}

/** @throws LoginError where a response of a success is no JSON object; the parser's message would quote it */
export function readTokenJson({ service }: Pick<TokenRequest, 'service'>, { status, text }: TokenResponse): JsonObject {
  const body = parseObject(text);
  if (body === undefined) throw new LoginError(`${service} sent a response that is not a JSON object.`, true, status);
  return body;
}

/** Parses a JSON object; undefined for any other text. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
