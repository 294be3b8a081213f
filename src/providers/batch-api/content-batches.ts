import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { modelPath } from '../definitions/gemini.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { RepeatableBody } from '../transport/upstream-request.js';
import { BatchApi, type BatchCall, type LostPart, type NewPart, type PartLine, type PartReceipt } from './batch-api.js';
import type { PartResult, PartState } from './batch-api.js';
import { cancelBatch, type BatchClient } from './batch-client.js';
import { beginWithFile, checkedJson } from './creation-check.js';
import { findListed } from './find-listed.js';
import { readContentLine } from './read-line.js';

const PAGE_BATCHES = 100;
/** States in which nothing more comes of a batch, without their prefix: `BATCH_STATE_` here, `JOB_STATE_` in Google's clients. */
const ENDED = new Set(['SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED']);
const STATE_PREFIX = /^(?:BATCH|JOB)_STATE_/;
/** Names of resources begin with their collection. */
const BATCH_NAME = /^batches\/[^/]+$/;
const FILE_NAME = /^files\/[^/]+$/;

/**
 * Gemini's batches of `generateContent`, whose requests and responses are files, because a batch with its responses inside has no
 * bound in size. https://ai.google.dev/gemini-api/docs/batch-api, https://ai.google.dev/api/batch-api
 */
export class ContentBatches extends BatchApi {
  readonly separator = '\n';

  constructor(
    format: BatchFormat,
    private readonly client: BatchClient,
    private readonly baseUrl: string,
  ) {
    super(format);
  }

  line({ customId, body }: PartLine): string {
    return `{"key":${JSON.stringify(customId)},"request":${body}}`;
  }

  async create(part: NewPart, call: BatchCall): Promise<PartReceipt> {
    const { file } = await this.client.upload(
      {
        path: uploadUrl(this.baseUrl),
        headers: { 'x-goog-upload-protocol': 'multipart' },
        body: relatedParts(part),
      },
      call,
    );
    const fileName = nonEmptyString(objectOf(file)['name']);
    if (fileName === undefined) throw upstreamError({ message: 'The provider gave an uploaded file no name.' });
    await beginWithFile(part.creation, (signal) => this.deleteFile(fileName, { ...call, signal }));
    const path = `/${modelPath(part.upstreamModel)}:batchGenerateContent`;
    const body = checkedJson({ batch: { displayName: part.id, inputConfig: { fileName } } }, part.creation);
    const name = nonEmptyString((await this.client.json({ path, body }, call))['name']);
    if (name === undefined) throw upstreamError({ message: 'The provider gave a batch no name.' });
    return { id: name };
  }

  /** The list has no order that could be relied on, and no filter by name. */
  async find({ id }: LostPart, call: BatchCall): Promise<string | undefined> {
    const found = await findListed(
      this.client,
      {
        pageOf: (token) =>
          `/batches?pageSize=${PAGE_BATCHES}${token === undefined ? '' : `&pageToken=${encodeURIComponent(token)}`}`,
        entries: 'operations',
        nextToken: 'nextPageToken',
      },
      (batch) => factsOf(batch)['displayName'] === id,
      call,
    );
    return nonEmptyString(found?.['name']);
  }

  async state(id: string, call: BatchCall): Promise<PartState> {
    const batch = await this.client.json({ method: 'GET', path: pathOf(id) }, call);
    const facts = factsOf(batch);
    const status = (nonEmptyString(facts['state']) ?? 'unknown').replace(STATE_PREFIX, '');
    const output = outputOf(batch);
    const responses = nonEmptyString(output['responsesFile']);
    const input = nonEmptyString(objectOf(facts['inputConfig'])['fileName']);
    const outputs = responses !== undefined ? [responses] : isObject(output['inlinedResponses']) ? [id] : [];
    const files = [input, responses].filter((name) => name !== undefined);
    return {
      isEnded: batch['done'] === true || ENDED.has(status),
      status,
      outputs,
      files: [...files, id],
      error: nonEmptyString(objectOf(batch['error'])['message']),
    };
  }

  async cancel(id: string, call: BatchCall): Promise<void> {
    await cancelBatch(this.client, { path: `${pathOf(id)}:cancel`, body: {} }, call);
  }

  async *results(output: string, call: BatchCall): AsyncGenerator<PartResult | undefined> {
    if (BATCH_NAME.test(output)) {
      const batch = await this.client.json({ method: 'GET', path: pathOf(output) }, call);
      const { inlinedResponses: list } = objectOf(outputOf(batch)['inlinedResponses']);
      for (const each of Array.isArray(list) ? (list as unknown[]) : []) {
        yield isObject(each) ? readContentLine(each) : undefined;
      }
      return;
    }
    for await (const line of this.client.lines(`${pathOf(output)}:download?alt=media`, {}, call)) {
      yield readContentLine(line);
    }
  }

  /** Deletes a file, or the batch itself. */
  async deleteFile(id: string, call: BatchCall): Promise<void> {
    await this.client.json({ method: 'DELETE', path: pathOf(id) }, call);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}

/** A batch is the metadata of a long-running operation. */
function factsOf(operation: JsonObject): JsonObject {
  return objectOf(operation['metadata']);
}

/** Where the responses are: in the response of the operation, or in the batch, as far as one that was ended early has any. */
function outputOf(operation: JsonObject): JsonObject {
  const response = objectOf(operation['response']);
  const hasOutput = response['responsesFile'] !== undefined || response['inlinedResponses'] !== undefined;
  return hasOutput ? response : objectOf(response['output'] ?? factsOf(operation)['output']);
}

/** @throws GatewayError for what is no name of a batch or a file */
function pathOf(name: string): string {
  if (!BATCH_NAME.test(name) && !FILE_NAME.test(name)) {
    throw upstreamError({ message: 'The provider gave a batch or a file a name of another kind.' });
  }
  const [collection = '', id = ''] = name.split('/');
  return `/${collection}/${encodeURIComponent(id)}`;
}

/** Uploads have `/upload` before the version of the API. */
function uploadUrl(baseUrl: string): string {
  const url = new URL(baseUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/[^/]*$/, '/upload$&')}/files`;
  return url.href;
}

/** A file with its metadata, as multipart/related (RFC 2387). */
function relatedParts({ id, lines }: NewPart): RepeatableBody {
  const boundary = `gateway-${id}`;
  const head = Buffer.from(
    `--${boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n` +
      `${JSON.stringify({ file: { displayName: id, mimeType: 'application/jsonl' } })}\r\n` +
      `--${boundary}\r\ncontent-type: application/jsonl\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/related; boundary=${boundary}`,
    length: head.length + lines.length + tail.length,
    open: async function* () {
      yield head;
      yield* lines.open();
      yield tail;
    },
  };
}
