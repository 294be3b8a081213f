import { upstreamError } from '../../errors/gateway-error.js';
import { parseExact, printExact } from '../../runtime/exact-integers.js';
import { nonEmptyString, objectOf } from '../../runtime/json-value.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import { BatchApi, type BatchCall, type LostPart, type NewPart, type PartLine, type PartReceipt } from './batch-api.js';
import type { PartResult, PartState } from './batch-api.js';
import { cancelBatch, type BatchClient } from './batch-client.js';
import { checkedJson } from './creation-check.js';
import { findListed, lastOfName } from './find-listed.js';
import type { ObjectStorage } from './object-storage.js';
import { LINE_LABEL, readPredictionLine } from './read-line.js';

/** The name of the gateway's id in the labels of a job. */
const PART_LABEL = 'gateway_part';
const PAGE_JOBS = 100;
const COLLECTION = '/batchPredictionJobs';
const STATE_PREFIX = /^JOB_STATE_/;
const ENDED = new Set(['SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED']);
const OUTPUT_FOLDER = 'output/';
/** Below the folder of the output there is one for each job, with one file or several. */
const OUTPUT_FILE = /\.jsonl$/;
/** The endpoint of Claude, whose requests have names of their own in a batch. */
const RAW_PREDICT = ':rawPredict';

/**
 * Vertex AI's batch prediction jobs, with files in Google Cloud Storage.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-from-cloud-storage,
 * https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/batch
 */
export class PredictionJobs extends BatchApi {
  readonly separator = '\n';

  /** @param baseUrl of the project and location */
  constructor(
    format: BatchFormat,
    private readonly client: BatchClient,
    private readonly storage: ObjectStorage,
    private readonly baseUrl: string,
  ) {
    super(format);
  }

  /** A result has its request, but nothing else of its line; so the name of the line is a label of the request. */
  line({ customId, endpoint, body }: PartLine): string {
    if (endpoint === RAW_PREDICT) return `{"custom_id":${JSON.stringify(customId)},"request":${body}}`;
    const request = objectOf(parseExact(body));
    const labels = { ...objectOf(request['labels']), [LINE_LABEL]: customId };
    return `{"request":${printExact({ ...request, labels })}}`;
  }

  async create({ id, endpoint, upstreamModel, lines, creation }: NewPart, call: BatchCall): Promise<PartReceipt> {
    const { storage } = this;
    const input = storage.keyOf(id, 'input.jsonl');
    await storage.write(input, lines, call);
    const publisher = endpoint === RAW_PREDICT ? 'publishers/anthropic' : 'publishers/google';
    const job = {
      displayName: id,
      model: `${publisher}/models/${upstreamModel}`,
      labels: { [PART_LABEL]: id },
      inputConfig: { instancesFormat: 'jsonl', gcsSource: { uris: [storage.uriOf(input)] } },
      outputConfig: {
        predictionsFormat: 'jsonl',
        gcsDestination: { outputUriPrefix: storage.uriOf(storage.keyOf(id, OUTPUT_FOLDER)) },
      },
    };
    await creation.begin();
    const path = `${this.baseUrl}${COLLECTION}`;
    const created = await this.client.json({ path, body: checkedJson(job, creation) }, call);
    const name = lastOfName(created['name']);
    if (name === undefined) throw upstreamError({ message: 'The provider gave a job no name.' });
    return { id: name };
  }

  async find({ id }: LostPart, call: BatchCall): Promise<string | undefined> {
    const found = await findListed(
      this.client,
      {
        pageOf: (token) => {
          const query = new URLSearchParams({
            filter: `labels.${PART_LABEL}="${id}"`,
            pageSize: String(PAGE_JOBS),
            ...(token !== undefined && { pageToken: token }),
          });
          return `${this.baseUrl}${COLLECTION}?${query.toString()}`;
        },
        entries: 'batchPredictionJobs',
        nextToken: 'nextPageToken',
      },
      ({ labels }) => objectOf(labels)[PART_LABEL] === id,
      call,
    );
    return lastOfName(found?.['name']);
  }

  async state(id: string, call: BatchCall): Promise<PartState> {
    const job = await this.client.json({ method: 'GET', path: this.urlOf(id) }, call);
    const status = (nonEmptyString(job['state']) ?? 'unknown').replace(STATE_PREFIX, '');
    const isEnded = ENDED.has(status);
    const error = nonEmptyString(objectOf(job['error'])['message']);
    if (!isEnded) return { isEnded, status, outputs: [], files: [], error };
    const destination = objectOf(objectOf(job['outputConfig'])['gcsDestination'])['outputUriPrefix'];
    const { uris } = objectOf(objectOf(job['inputConfig'])['gcsSource']);
    const inputs = Array.isArray(uris) ? (uris as unknown[]) : [];
    const folder = this.storage.keyOfUri(destination);
    const written = folder === undefined ? [] : await this.storage.list(folder, call);
    const read = inputs.map((uri) => this.storage.keyOfUri(uri)).filter((key) => key !== undefined);
    return {
      isEnded,
      status,
      outputs: written.filter((key) => OUTPUT_FILE.test(key)),
      files: [...written, ...read],
      error,
    };
  }

  async cancel(id: string, call: BatchCall): Promise<void> {
    await cancelBatch(this.client, { path: `${this.urlOf(id)}:cancel`, body: {} }, call);
  }

  async *results(output: string, call: BatchCall): AsyncGenerator<PartResult | undefined> {
    for await (const line of this.storage.lines(output, call)) yield readPredictionLine(line);
  }

  deleteFile(id: string, call: BatchCall): Promise<void> {
    return this.storage.delete(id, call);
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close(), this.storage.close()]);
  }

  private urlOf(id: string): string {
    return `${this.baseUrl}${COLLECTION}/${encodeURIComponent(id)}`;
  }
}
