import { Agent, request, type Dispatcher } from 'undici';
import type { KeyDto, KeyWithSecretDto } from '../../src/admin/keys/key.dto.js';
import type { GroupDto } from '../../src/admin/groups/groups.dto.js';
import type { AuditEntryDto } from '../../src/audit/audit.dto.js';
import type { BatchDto, BatchSubmittedDto } from '../../src/batch/batch.dto.js';
import type { TaskResultDto } from '../../src/batch/task-result.dto.js';
import type { ChatCompletionDto } from '../../src/chat/chat-completion.dto.js';
import type { DeploymentDto } from '../../src/routing/deployments/deployments.dto.js';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { UsageRowDto } from '../../src/usage/report/usage-row.dto.js';
import { until } from '../fixtures/until.js';
import { GatewayResponse, type Json } from './gateway-response.js';
import { notifyResponse } from './observed-responses.js';
import { parseMetrics, type MetricFamily } from './parse-metrics.js';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Text, bytes and streams are sent as they are, forms as multipart; anything else as JSON. */
export type RequestBody = object | string | number | boolean | null;

export interface RequestOptions {
  /** In addition to those of the client; an empty value takes one of them away. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A response whose body is still to come. */
export interface OpenResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The text in pieces, as they arrive. Throws where the connection breaks or the request is aborted. */
  readonly pieces: AsyncIterable<string>;
  /** All of the text that has not been read. */
  text(): Promise<string>;
  /** Goes away without reading the rest. */
  close(): void;
}

interface Page<Item> {
  readonly data: Item[];
  readonly next: string | null;
}

const ENDED = ['completed', 'failed', 'cancelled', 'expired'];
/** Until both processes get a processor of a busy machine, a connection can take longer than the default of 10 s. */
const CONNECT_TIMEOUT_MS = 60_000;

/** @param connections most at once; without it, as many as there are requests in flight */
export function newAgent(connections?: number): Agent {
  return new Agent({ ...(connections !== undefined && { connections }), connect: { timeout: CONNECT_TIMEOUT_MS } });
}

/**
 * The client of the e2e suites: one gateway by one key. Paths are whole, such as `/v1/admin/keys`. Every response is held
 * to the OpenAPI document (check-responses.ts).
 */
export class GatewayClient {
  /**
   * @param url origin of the gateway
   * @param key sent as `authorization: Bearer`; an empty one sends no header
   * @param dispatcher the connections, which the caller closes
   */
  constructor(
    readonly url: string,
    readonly key: string,
    private readonly dispatcher: Dispatcher,
  ) {}

  /** The key's public id. */
  get keyId(): string {
    return keyIdOf(this.key);
  }

  /** The same gateway by another key; an empty one is no key. */
  as(key: string): GatewayClient {
    return new GatewayClient(this.url, key, this.dispatcher);
  }

  async send<Body = Json>(
    method: Method,
    path: string,
    body?: RequestBody,
    options: RequestOptions = {},
  ): Promise<GatewayResponse<Body>> {
    const started = performance.now();
    const { statusCode, headers, body: incoming } = await this.dispatch(method, path, body, options);
    const text = await incoming.text();
    const response = new GatewayResponse<Body>(statusCode, headersOf(headers), text, performance.now() - started);
    const contentType = response.header('content-type');
    const isJson = contentType.startsWith('application/json') && method !== 'HEAD';
    notifyResponse({
      method,
      url: new URL(`${this.url}${path}`),
      status: statusCode,
      contentType,
      body: isJson ? response.body : undefined,
    });
    return response;
  }

  get<Body = Json>(path: string, options?: RequestOptions): Promise<GatewayResponse<Body>> {
    return this.send('GET', path, undefined, options);
  }

  post<Body = Json>(path: string, body?: RequestBody, options?: RequestOptions): Promise<GatewayResponse<Body>> {
    return this.send('POST', path, body, options);
  }

  patch<Body = Json>(path: string, body?: RequestBody, options?: RequestOptions): Promise<GatewayResponse<Body>> {
    return this.send('PATCH', path, body, options);
  }

  delete<Body = Json>(path: string, options?: RequestOptions): Promise<GatewayResponse<Body>> {
    return this.send('DELETE', path, undefined, options);
  }

  /** The body of a response that has to be a 2xx. */
  async sendOk<Body = Json>(method: Method, path: string, body?: RequestBody): Promise<Body> {
    const response = await this.send<Body>(method, path, body);
    if (response.status >= 200 && response.status <= 299) return response.body;
    throw new Error(`${method} ${path} answered ${response.status}: ${response.text}`);
  }

  /** The body of a GET that has to be a 2xx. */
  read<Body = Json>(path: string): Promise<Body> {
    return this.sendOk('GET', path);
  }

  /** The body of a POST that has to be a 2xx. */
  make<Body = Json>(path: string, body: RequestBody = {}): Promise<Body> {
    return this.sendOk('POST', path, body);
  }

  /** A response as soon as its head is there, to be read piece by piece. */
  async open(path: string, body: RequestBody, options: RequestOptions = {}): Promise<OpenResponse> {
    const { statusCode: status, headers: given, body: incoming } = await this.dispatch('POST', path, body, options);
    const headers = headersOf(given);
    const contentType = headers.get('content-type') ?? '';
    notifyResponse({ method: 'POST', url: new URL(`${this.url}${path}`), status, contentType, body: undefined });
    return {
      status,
      headers,
      pieces: incoming.setEncoding('utf8') as AsyncIterable<string>,
      text: () => incoming.text(),
      close: () => void incoming.on('error', () => undefined).destroy(),
    };
  }

  /** A chat completion: `sandbox/echo` with three words, unless the fields say otherwise. */
  chat(fields: object = {}, options?: RequestOptions): Promise<GatewayResponse<ChatCompletionDto>> {
    return this.post('/v1/chat/completions', chatOf(fields), options);
  }

  /** As `chat`, and streamed to the caller. */
  openChat(fields: object = {}, options?: RequestOptions): Promise<OpenResponse> {
    return this.open('/v1/chat/completions', chatOf({ stream: true, ...fields }), options);
  }

  // ---- batches

  /** @returns the job's id */
  async submitBatch(model: string, tasks: readonly unknown[], fields: object = {}): Promise<string> {
    return (await this.make<BatchSubmittedDto>('/v1/batch/generate', { model, tasks, ...fields })).job_id;
  }

  readBatch(id: string): Promise<BatchDto> {
    return this.read(`/v1/batch/${id}`);
  }

  /** Waits until the job has ended, with any outcome. */
  async endedBatch(id: string): Promise<BatchDto> {
    let job = await this.readBatch(id);
    await until(async () => ENDED.includes((job = await this.readBatch(id)).status));
    return job;
  }

  async batchResults(id: string): Promise<TaskResultDto[]> {
    const { status, text } = await this.get(`/v1/batch/${id}/results`);
    if (status !== 200) throw new Error(`the results of ${id} answered ${status}: ${text}`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TaskResultDto);
  }

  // ---- what only admin keys may do

  createKey(fields: object = {}): Promise<KeyWithSecretDto> {
    return this.make('/v1/admin/keys', { name: 'test', ...fields });
  }

  updateKey(id: string, fields: object): Promise<GatewayResponse<KeyDto>> {
    return this.patch(`/v1/admin/keys/${id}`, fields);
  }

  rotateKey(id: string, fields: object = {}): Promise<GatewayResponse<KeyWithSecretDto>> {
    return this.post(`/v1/admin/keys/${id}/rotate`, fields);
  }

  revokeKey(id: string): Promise<GatewayResponse<KeyDto>> {
    return this.delete(`/v1/admin/keys/${id}`);
  }

  createGroup(fields: object = {}): Promise<GroupDto> {
    return this.make('/v1/admin/groups', { name: 'test', ...fields });
  }

  /** All items of a list, over all its pages. @param path may have a query */
  async pages<Item>(path: string): Promise<Item[]> {
    const items: Item[] = [];
    const separator = path.includes('?') ? '&' : '?';
    let after = '';
    for (;;) {
      const { data, next }: Page<Item> = await this.read(`${path}${after}`);
      items.push(...data);
      if (next === null) return items;
      after = `${separator}after=${encodeURIComponent(next)}`;
    }
  }

  /** @param query such as `interval=none&key_id=...` */
  async usage(query: string): Promise<UsageRowDto[]> {
    return (await this.read<Page<UsageRowDto>>(`/v1/admin/usage?${query}`)).data;
  }

  /** All records that a query meets. */
  usageRecords(query = ''): Promise<UsageRecordDto[]> {
    return this.pages(`/v1/admin/usage/records?limit=100${query === '' ? '' : `&${query}`}`);
  }

  /** The latest record that is meant, once it is there. @param query that it meets as well */
  async usageRecord(isMeant: (record: UsageRecordDto) => boolean, query = ''): Promise<UsageRecordDto> {
    let found: UsageRecordDto | undefined;
    await until(async () => (found = (await this.usageRecords(query)).find(isMeant)) !== undefined);
    return found!;
  }

  audit(query: string): Promise<AuditEntryDto[]> {
    return this.pages(`/v1/admin/audit?${query}`);
  }

  async deployments(): Promise<DeploymentDto[]> {
    return (await this.read<Page<DeploymentDto>>('/v1/admin/deployments')).data;
  }

  async metrics(): Promise<Map<string, MetricFamily>> {
    return parseMetrics((await this.get('/metrics')).text);
  }

  private async dispatch(
    method: Method,
    path: string,
    body: RequestBody | undefined,
    { headers = {}, signal }: RequestOptions,
  ): Promise<Dispatcher.ResponseData> {
    const sent = body === undefined ? undefined : await encode(body);
    const all: Record<string, string> = {
      ...(this.key !== '' && { authorization: `Bearer ${this.key}` }),
      ...(sent !== undefined && sent.type !== '' && { 'content-type': sent.type }),
      ...headers,
    };
    return request(`${this.url}${path}`, {
      dispatcher: this.dispatcher,
      method,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      body: sent?.body ?? null,
      ...(signal !== undefined && { signal }),
    });
  }
}

/** The public id that a key holds. */
export function keyIdOf(key: string): string {
  return `key_${key.split('_')[1] ?? ''}`;
}

function chatOf(fields: object): object {
  return { model: 'sandbox/echo', messages: [{ role: 'user', content: 'one two three' }], ...fields };
}

async function encode(body: RequestBody): Promise<{ body: Dispatcher.DispatchOptions['body']; type: string }> {
  if (body instanceof FormData) {
    const form = new Response(body);
    return { body: Buffer.from(await form.arrayBuffer()), type: form.headers.get('content-type') ?? '' };
  }
  const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
  const raw = (isRaw ? body : JSON.stringify(body)) as Dispatcher.DispatchOptions['body'];
  return { body: raw, type: 'application/json' };
}

function headersOf(given: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
}
