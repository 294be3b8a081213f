import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request, type Dispatcher } from 'undici';
import { GatewayError, notFound } from '../../errors/gateway-error.js';
import { storageFault } from '../../errors/storage-fault.js';
import type { Authorize } from '../../providers/credentials/authorize.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** Silence of the server after which a request is abandoned. */
const SILENCE_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const MAX_ERROR_CHARACTERS = 300;

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
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Of the object; empty for the bucket itself. It needs no encoding. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** A response, received whole. */
export interface S3Response {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Buffer;
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

  /** @throws GatewayError 404 for an object that there is not, 503 for every other failure */
  async send(sent: S3Request): Promise<S3Response> {
    const url = this.urlOf(sent);
    for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt += 1, pauseMs *= 2) {
      const response = await this.attempt(url, sent).catch((error: unknown) => error);
      const isLast = attempt === MAX_ATTEMPTS;
      if (response instanceof GatewayError) throw response;
      if (isResponse(response)) {
        if (response.status < 300 && !isErrorInSuccess(response)) return response;
        if (response.status === 404) throw notFound(`The object '${sent.key}' is not in the bucket.`);
        const mayPass = response.status >= 500 || response.status === 429 || response.status === 200;
        if (!mayPass || isLast) throw failed(sent, response);
      } else if (isLast) throw storageFault(response);
      await sleep(pauseMs);
    }
  }

  /** Ends idle connections. */
  close(): Promise<void> {
    return this.agent.close();
  }

  private async attempt(url: string, { method, headers = {}, body }: S3Request): Promise<S3Response> {
    // The body is not part of the signature: connections have TLS, or are inside of a network that the operator trusts.
    const signed = await this.authorize({ method, url, headers, body: undefined });
    const response = await request(url, {
      method,
      headers: { ...headers, ...signed },
      dispatcher: this.agent,
      ...(body !== undefined && { body }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.from(await response.body.arrayBuffer()),
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

function isResponse(value: unknown): value is S3Response {
  return typeof value === 'object' && value !== null && 'status' in value;
}

/** A request that takes long begins its response before it is known whether it succeeds. */
function isErrorInSuccess({ body, headers }: S3Response): boolean {
  const isXml = String(headers['content-type'] ?? '').includes('xml');
  return isXml && body.subarray(0, 1_000).includes('<Error>');
}

function failed({ method, key }: S3Request, { status, body }: S3Response): GatewayError {
  const text = body.toString('utf8', 0, MAX_ERROR_CHARACTERS);
  return storageFault(new Error(`S3 answered ${method} ${key} with ${status}: ${text}`));
}
