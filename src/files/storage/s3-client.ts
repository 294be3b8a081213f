import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { GatewayError, notFound } from '../../errors/gateway-error.js';
import { storageFault } from '../../errors/storage-fault.js';
import { textOf } from '../../runtime/xml-elements.js';
import type { AuthorizationHeaders, Authorize } from '../../providers/credentials/authorize.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Silence of the server after which a request is abandoned. */
const SILENCE_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const MAX_ERROR_CHARACTERS = 2_000;
/** Codes of a 400 that is about the login. */
const LOGIN_CODES = new Set(['ExpiredToken', 'InvalidToken']);

/** Where a bucket is. */
export interface S3Address {
  /** Without a trailing slash; AWS's of the region by default. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Whether the bucket is the first part of the path rather than of the host, as most servers other than AWS need it. */
  readonly pathStyle: boolean;
}

/** A request that is yet to be signed. */
export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Of the object; empty for the bucket itself. It needs no encoding. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Ends the request and its repetitions. */
  readonly signal?: AbortSignal | undefined;
  /** Awaited before the request is sent, each time. What it throws ends the request and its repetitions. */
  readonly confirm?: () => Promise<void>;
}

/** A response, received whole. */
export interface S3Response {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Buffer;
}

interface AttemptResponse extends S3Response {
  /** The credentials of the request. */
  readonly authorization: AuthorizationHeaders;
}

/** A response of S3 that is no success. */
export class S3Error extends Error {
  override readonly name = 'S3Error';

  /** @param code of S3, such as `AccessDenied`; undefined where the response has none */
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

/** Sends signed requests to a server with the API of S3. Every request can be repeated, and is when the server fails or the connection breaks. */
export class S3Client {
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  });

  constructor(
    private readonly address: S3Address,
    private readonly authorize: Authorize,
  ) {}

  /**
   * @throws GatewayError 404 for an object that there is not, 503 for every other failure. The cause is an S3Error where S3 responded
   * @throws the reason of the signal
   */
  async send(sent: S3Request): Promise<S3Response> {
    const url = this.urlOf(sent);
    let wasRenewed = false;
    for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt += 1, pauseMs *= 2) {
      sent.signal?.throwIfAborted();
      await sent.confirm?.();
      const response = await this.attempt(url, sent).catch((error: unknown) => error);
      sent.signal?.throwIfAborted();
      const isLast = attempt === MAX_ATTEMPTS;
      if (response instanceof GatewayError) throw response;
      if (isResponse(response)) {
        if (
          !wasRenewed &&
          isLoginRefused(response) &&
          (await this.authorize.refused?.(response.authorization)) === true
        ) {
          wasRenewed = true;
          continue;
        }
        if (response.status < 300 && !isErrorInSuccess(response)) return response;
        if (response.status === 404) throw missing(sent, response);
        const mayPass = response.status >= 500 || response.status === 429 || response.status === 200;
        if (!mayPass || isLast) throw failed(sent, response);
      } else if (isLast) throw storageFault(response);
      await sleep(pauseMs, undefined, sent.signal === undefined ? {} : { signal: sent.signal }).catch(() => undefined);
    }
  }

  /** The pages of a list, as XML. */
  async *pages(query: Readonly<Record<string, string>>): AsyncGenerator<string> {
    let place: Readonly<Record<string, string>> = {};
    for (;;) {
      const { body } = await this.send({ method: 'GET', key: '', query: { ...query, ...place } });
      const xml = body.toString('utf8');
      yield xml;
      if (textOf(xml, 'IsTruncated') !== 'true') return;
      const token = textOf(xml, 'NextContinuationToken');
      place =
        token === undefined
          ? {
              'key-marker': textOf(xml, 'NextKeyMarker') ?? '',
              'upload-id-marker': textOf(xml, 'NextUploadIdMarker') ?? '',
            }
          : { 'continuation-token': token };
    }
  }

  /** Ends idle connections. */
  close(): Promise<void> {
    return this.agent.close();
  }

  private async attempt(url: string, { method, headers = {}, body, signal }: S3Request): Promise<AttemptResponse> {
    // The body is not part of the signature: connections have TLS, or are inside of a network that the operator trusts.
    const signed = await this.authorize({ method, url, headers, body: undefined });
    const response = await request(url, {
      method,
      headers: { ...headers, ...signed },
      dispatcher: this.agent,
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.from(await response.body.arrayBuffer()),
      authorization: signed,
    };
  }

  private urlOf({ key, query = {} }: S3Request): string {
    const { endpoint, bucket, pathStyle } = this.address;
    const url = new URL(endpoint);
    if (!pathStyle) url.host = `${bucket}.${url.host}`;
    const base = url.pathname.replace(/\/$/, '');
    url.pathname = `${base}${pathStyle ? `/${bucket}` : ''}/${key}`;
    url.search = new URLSearchParams(query).toString();
    return url.href;
  }
}

function isResponse(value: unknown): value is AttemptResponse {
  return typeof value === 'object' && value !== null && 'status' in value;
}

/** Whether other credentials may help: a login that was revoked, or has expired (which S3 answers with 400). */
function isLoginRefused({ status, body }: S3Response): boolean {
  if (status === 401 || status === 403) return true;
  return status === 400 && LOGIN_CODES.has(textOf(errorText(body), 'Code') ?? '');
}

/** A request that takes long begins its response before it is known whether it succeeds. */
function isErrorInSuccess({ body, headers }: S3Response): boolean {
  const isXml = String(headers['content-type'] ?? '').includes('xml');
  return isXml && body.subarray(0, 1_000).includes('<Error>');
}

function failed(sent: S3Request, response: S3Response): GatewayError {
  return storageFault(errorOf(sent, response));
}

function missing(sent: S3Request, response: S3Response): GatewayError {
  const error = notFound(`The object '${sent.key}' is not in the bucket.`);
  error.cause = errorOf(sent, response);
  return error;
}

function errorText(body: Buffer): string {
  return body.toString('utf8', 0, MAX_ERROR_CHARACTERS);
}

/** Of the body only what says what is wrong: the rest may have the id of the access key. */
function errorOf({ method, key }: S3Request, { status, body }: S3Response): S3Error {
  const xml = errorText(body);
  const code = textOf(xml, 'Code');
  const said = [code, textOf(xml, 'Message')].filter((text) => text !== undefined).join(': ');
  return new S3Error(status, code, `S3 answered ${method} ${key} with ${status}${said === '' ? '' : ` ${said}`}`);
}
