import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { RepeatableBody } from '../transport/upstream-request.js';
import { BatchApi, type BatchCall, type LostPart, type NewPart, type PartLine, type PartReceipt } from './batch-api.js';
import type { PartResult, PartState } from './batch-api.js';
import { cancelBatch, type BatchClient } from './batch-client.js';
import { beginWithFile, checkedJson } from './creation-check.js';
import { readOpenAiLine } from './read-line.js';

/** The name of the gateway's id in the metadata of a batch. */
const METADATA_NAME = 'gateway_part';
/** Batches per page of a list, and the most pages that a search reads. */
const PAGE_BATCHES = 100;
const MAX_PAGES = 50;
/** Seconds by which the provider's clock may differ. */
const CLOCK_SKEW_SECONDS = 600;
const HOURS = 24;
const SECONDS_PER_MS = 1 / 1_000;

/** What differs between OpenAI's batches and those of providers that have files and jobs as well. */
interface Dialect {
  /** Below the base URL. */
  readonly batches: string;
  readonly ended: ReadonlySet<string>;
  create(part: NewPart, file: string, endpoint: string): JsonObject;
  outputs(batch: JsonObject): readonly unknown[];
  inputs(batch: JsonObject): readonly unknown[];
  /** Path of a page of the list. */
  page(after: string | undefined, index: number): string;
}

/** https://platform.openai.com/docs/api-reference/batch; Azure and Groq have the same. */
const OPENAI: Dialect = {
  batches: '/batches',
  ended: new Set(['completed', 'failed', 'expired', 'cancelled']),
  create: ({ id }, file, endpoint) => ({
    input_file_id: file,
    endpoint,
    completion_window: `${HOURS}h`,
    metadata: { [METADATA_NAME]: id },
  }),
  outputs: (batch) => [batch['output_file_id'], batch['error_file_id']],
  inputs: (batch) => [batch['input_file_id']],
  page: (after) => `/batches?limit=${PAGE_BATCHES}${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`,
};

/** https://docs.mistral.ai/api/endpoint/batch */
const MISTRAL: Dialect = {
  batches: '/batch/jobs',
  ended: new Set(['SUCCESS', 'FAILED', 'TIMEOUT_EXCEEDED', 'CANCELLED']),
  create: ({ id, upstreamModel }, file, endpoint) => ({
    input_files: [file],
    model: upstreamModel,
    endpoint,
    timeout_hours: HOURS,
    metadata: { [METADATA_NAME]: id },
  }),
  outputs: (batch) => [batch['output_file'], batch['error_file']],
  inputs: (batch) => (Array.isArray(batch['input_files']) ? (batch['input_files'] as unknown[]) : []),
  page: (_after, index) => `/batch/jobs?page=${index}&page_size=${PAGE_BATCHES}`,
};

/** Batch APIs in which a file of lines is uploaded first: OpenAI's, those that copy it, and Mistral's. */
export class FileBatches extends BatchApi {
  readonly separator = '\n';
  private readonly dialect: Dialect;
  private readonly endpoints: readonly string[];

  /** @param urlOf the address of a path below the base URL */
  constructor(
    format: BatchFormat,
    private readonly client: BatchClient,
    private readonly urlOf: (path: string) => string,
  ) {
    super(format);
    this.dialect = format.format === 'files-and-jobs' ? MISTRAL : OPENAI;
    // The longest first, because `/chat/completions` ends like `/completions`.
    this.endpoints = [...format.endpoints].sort((a, b) => b.length - a.length);
  }

  override endpointOf(path: string): string | undefined {
    const plain = path.replace(/\?.*$/, '');
    const endpoint = this.endpoints.find((each) => plain.endsWith(each));
    return endpoint === undefined ? undefined : `${this.format.linePrefix ?? '/v1'}${endpoint}`;
  }

  line({ customId, endpoint, body }: PartLine): string {
    return `{"custom_id":${JSON.stringify(customId)},"method":"POST","url":${JSON.stringify(endpoint)},"body":${body}}`;
  }

  async create(part: NewPart, call: BatchCall): Promise<PartReceipt> {
    const uploaded = await this.client.upload({ path: this.urlOf('/files'), body: fileForm(part) }, call);
    const file = nonEmptyString(uploaded['id']);
    if (file === undefined) throw upstreamError({ message: 'The provider gave an uploaded file no id.' });
    await beginWithFile(part.creation, (signal) => this.deleteFile(file, { ...call, signal }));
    const body = checkedJson(this.dialect.create(part, file, part.endpoint), part.creation);
    const created = await this.client.json({ path: this.urlOf(this.dialect.batches), body }, call);
    const id = nonEmptyString(created['id']);
    if (id === undefined) throw upstreamError({ message: 'The provider gave a batch no id.' });
    return { id };
  }

  async find({ id, since }: LostPart, call: BatchCall): Promise<string | undefined> {
    const oldest = since * SECONDS_PER_MS - CLOCK_SKEW_SECONDS;
    let after: string | undefined;
    for (let index = 0; index < MAX_PAGES; index += 1) {
      const path = this.urlOf(this.dialect.page(after, index));
      const { data, has_more: hasMore } = await this.client.json({ method: 'GET', path }, call);
      const batches = Array.isArray(data) ? (data as unknown[]).filter(isObject) : [];
      const found = batches.find((batch) => objectOf(batch['metadata'])[METADATA_NAME] === id);
      if (found !== undefined) return nonEmptyString(found['id']);
      const last = batches.at(-1);
      after = nonEmptyString(last?.['id']);
      const isOld = batches.length > 0 && batches.every((batch) => createdAt(batch) < oldest);
      if (after === undefined || isOld || hasMore === false || batches.length < PAGE_BATCHES) return undefined;
    }
    return undefined;
  }

  async state(id: string, call: BatchCall): Promise<PartState> {
    const path = this.urlOf(`${this.dialect.batches}/${encodeURIComponent(id)}`);
    const batch = await this.client.json({ method: 'GET', path }, call);
    const status = nonEmptyString(batch['status']) ?? 'unknown';
    const outputs = this.dialect.outputs(batch).filter((each): each is string => nonEmptyString(each) !== undefined);
    const inputs = this.dialect.inputs(batch).filter((each): each is string => nonEmptyString(each) !== undefined);
    return {
      isEnded: this.dialect.ended.has(status),
      status,
      outputs,
      files: [...inputs, ...outputs],
      error: errorsOf(batch['errors']),
    };
  }

  async cancel(id: string, call: BatchCall): Promise<void> {
    const path = this.urlOf(`${this.dialect.batches}/${encodeURIComponent(id)}/cancel`);
    await cancelBatch(this.client, { path, body: {} }, call);
  }

  async *results(output: string, call: BatchCall): AsyncGenerator<PartResult | undefined> {
    const path = this.urlOf(`/files/${encodeURIComponent(output)}/content`);
    for await (const line of this.client.lines(path, {}, call)) yield readOpenAiLine(line);
  }

  async deleteFile(id: string, call: BatchCall): Promise<void> {
    await this.client.json({ method: 'DELETE', path: this.urlOf(`/files/${encodeURIComponent(id)}`) }, call);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** OpenAI has Unix seconds, and so has Mistral. */
function createdAt({ created_at: created }: JsonObject): number {
  return typeof created === 'number' ? created : Infinity;
}

/** The first of the errors by which a provider refused a file. */
function errorsOf(errors: unknown): string | undefined {
  const list = Array.isArray(errors) ? (errors as unknown[]) : objectOf(errors)['data'];
  const first: unknown = Array.isArray(list) ? (list as unknown[])[0] : undefined;
  return nonEmptyString(objectOf(first)['message']);
}

/** The form by which a file is uploaded (RFC 7578). */
function fileForm({ id, lines }: NewPart): RepeatableBody {
  const boundary = `gateway-${id}`;
  const head = Buffer.from(
    `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n` +
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${id}.jsonl"\r\n` +
      'content-type: application/jsonl\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: head.length + lines.length + tail.length,
    open: async function* () {
      yield head;
      yield* lines.open();
      yield tail;
    },
  };
}
