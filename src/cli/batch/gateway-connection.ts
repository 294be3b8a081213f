import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientVariables } from '../../config/client-variables.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { parseUrl } from '../../runtime/parse-url.js';
import { UsageError, type Arguments, type Command } from '../command.js';

const DEFAULT_URL = 'http://127.0.0.1:3000';
/** Tries of a call that may be repeated, and milliseconds before the second; each further wait is twice as long. */
const MAX_TRIES = 5;
const FIRST_WAIT_MS = 500;
/** Milliseconds until the head of a response has to be there. */
const HEAD_TIMEOUT_MS = 60_000;

/** Options of every command that calls a gateway. */
export const CONNECTION_OPTIONS: Command['options'] = {
  url: { value: 'address', meaning: `the gateway. Default GATEWAY_URL, or ${DEFAULT_URL}` },
  'key-file': { value: 'file', meaning: 'a file with the key. Default the variable GATEWAY_API_KEY' },
};

/** A response that is no success, or a gateway that cannot be reached: one line for the user. */
export class CallError extends Error {
  /** @param status HTTP status; undefined without a response */
  constructor(
    message: string,
    readonly status?: number,
    /** The field of the request that is at fault. */
    readonly param: string | null = null,
    /** Milliseconds that the gateway asked to wait. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

interface CallOptions {
  readonly method?: 'GET' | 'POST';
  /** Made anew for each try. */
  readonly body?: () => AsyncIterable<Uint8Array | string> | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the call may be repeated when its response did not arrive. */
  readonly isRepeatable?: boolean;
}

/** Calls the public API of a gateway by one key. */
export class GatewayConnection {
  constructor(
    readonly url: string,
    private readonly key: string,
  ) {}

  /** @throws UsageError for an address that is none, a file that cannot be read, and without a key */
  static of({ text }: Pick<Arguments, 'text'>): GatewayConnection {
    const variables = clientVariables();
    const url = text('url') ?? variables.url ?? DEFAULT_URL;
    if (!/^https?:$/.test(parseUrl(url)?.protocol ?? '')) {
      throw new UsageError(`--url must be an address such as ${DEFAULT_URL}, not '${url}'.`);
    }
    const file = text('key-file');
    const key = file === undefined ? variables.key : readKey(file);
    if (key === undefined || key === '') {
      throw new UsageError('There is no key. Set GATEWAY_API_KEY, or name a file with --key-file.');
    }
    return new GatewayConnection(url.replace(/\/+$/, '').replace(/\/v1$/, ''), key);
  }

  async read(path: string): Promise<JsonObject> {
    return objectOf(await this.call(path, { isRepeatable: true }));
  }

  async post(path: string, body: JsonObject, isRepeatable = true): Promise<JsonObject> {
    return objectOf(await this.call(path, { method: 'POST', body: () => JSON.stringify(body), isRepeatable }));
  }

  /** @throws CallError when the last try has failed */
  async call(path: string, options: CallOptions = {}): Promise<Response> {
    for (let tries = 1, wait = FIRST_WAIT_MS; ; tries += 1, wait *= 2) {
      try {
        return await this.tryCall(path, options);
      } catch (error) {
        if (!(error instanceof CallError) || !mayRepeat(error, options) || tries === MAX_TRIES) throw error;
        await sleep(Math.max(wait, Math.min(error.retryAfterMs ?? 0, 30_000)));
      }
    }
  }

  private async tryCall(path: string, { method = 'GET', body, headers = {} }: CallOptions): Promise<Response> {
    const sent = body?.();
    const timeout = new AbortController();
    // A submission has no head before its whole body has arrived.
    const timer =
      typeof sent === 'string' || sent === undefined ? setTimeout(() => timeout.abort(), HEAD_TIMEOUT_MS) : undefined;
    let response: Response;
    try {
      response = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.key}`,
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent, duplex: 'half' }),
        redirect: 'error',
        signal: timeout.signal,
      } as RequestInit);
    } catch (error) {
      throw new CallError(unreachable(this.url, error));
    } finally {
      clearTimeout(timer);
    }
    if (response.ok) return response;
    throw await failureOf(response, this.url);
  }
}

/** A call without a response, one that was refused for the moment, and one that the gateway could not run. */
function mayRepeat({ status }: CallError, { isRepeatable }: CallOptions): boolean {
  if (isRepeatable !== true) return status === 429;
  return status === undefined || status === 429 || status >= 500;
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`The key file ${file} cannot be read (${codeOf(error)}).`);
  }
}

async function failureOf(response: Response, url: string): Promise<CallError> {
  const { status } = response;
  const text = await response.text().catch(() => '');
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  try {
    const { error } = JSON.parse(text) as { error: { message: string; param?: string | null } };
    if (typeof error.message === 'string')
      return new CallError(error.message, status, error.param ?? null, retryAfterMs);
  } catch {
    // Not the body of a gateway.
  }
  return new CallError(
    `${url} responded with ${status}, and not as a gateway does. Check --url.`,
    status,
    null,
    retryAfterMs,
  );
}

function unreachable(url: string, error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (error instanceof Error && error.name === 'AbortError') {
    return `${url} did not respond within ${HEAD_TIMEOUT_MS / 1_000} seconds.`;
  }
  return `${url} cannot be reached (${codeOf(cause)}). Start the gateway, or give its address with --url.`;
}

async function objectOf(response: Response): Promise<JsonObject> {
  const value: unknown = await response.json().catch(() => undefined);
  if (isObject(value)) return value;
  throw new CallError('The response is not that of a gateway. Check --url.', response.status);
}

/** The code of a system error, or the name of another one. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.message || error.name;
}
