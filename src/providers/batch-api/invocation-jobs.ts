import type { IncomingHttpHeaders } from 'node:http';
import { upstreamError } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import { headerOf } from '../transport/json-call.js';
import { BatchApi, type BatchCall, type LostPart, type NewPart, type PartLine, type PartReceipt } from './batch-api.js';
import type { PartResult, PartState } from './batch-api.js';
import { cancelBatch, type BatchClient } from './batch-client.js';
import { findListed, lastOfName } from './find-listed.js';
import type { ObjectStorage } from './object-storage.js';
import { readRecordLine } from './read-line.js';

const PAGE_JOBS = 100;
/** Hours after which a job times out; the least that may be asked for. */
const TIMEOUT_HOURS = 24;
const ENDED = new Set(['Completed', 'PartiallyCompleted', 'Failed', 'Stopped', 'Expired']);
const OUTPUT_FOLDER = 'output/';
const OUTPUT_FILE = /\.jsonl\.out$/;
/** The endpoint whose requests may not have tools in a batch, and the member that has them. */
const CONVERSE = '/converse';
const TOOLS = 'toolConfig';
/** The header with the kind of an error, and the kinds where as many jobs run as the account may have. */
const ERROR_HEADER = 'x-amzn-errortype';
const QUOTA_ERROR = /^(?:ServiceQuotaExceeded|Throttling)Exception/;

/** Bedrock's model invocation jobs, with files in S3. https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html */
export class InvocationJobs extends BatchApi {
  readonly separator = '\n';

  /** @param baseUrl of the API of jobs */
  constructor(
    format: BatchFormat,
    private readonly client: BatchClient,
    private readonly storage: ObjectStorage,
    private readonly target: { readonly baseUrl: string; readonly roleArn: string },
  ) {
    super(format);
  }

  /** A record with tools fails in a job that converses. */
  line({ customId, endpoint, body }: PartLine): string | undefined {
    if (endpoint === CONVERSE && body.includes(`"${TOOLS}"`) && hasMember(body, TOOLS)) return undefined;
    return `{"recordId":${JSON.stringify(customId)},"modelInput":${body}}`;
  }

  async create({ id, endpoint, upstreamModel, lines, creation }: NewPart, call: BatchCall): Promise<PartReceipt> {
    const { storage } = this;
    const input = storage.keyOf(id, 'input.jsonl');
    await storage.write(input, lines, call);
    const body = {
      jobName: jobNameOf(id),
      // Another request with it creates no other job.
      clientRequestToken: jobNameOf(id),
      modelId: upstreamModel,
      modelInvocationType: endpoint === CONVERSE ? 'Converse' : 'InvokeModel',
      roleArn: this.target.roleArn,
      timeoutDurationInHours: TIMEOUT_HOURS,
      inputDataConfig: { s3InputDataConfig: { s3Uri: storage.uriOf(input), s3InputFormat: 'JSONL' } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: storage.uriOf(storage.keyOf(id, OUTPUT_FOLDER)) } },
    };
    await creation.begin();
    const created = await this.createJob(body, call);
    const job = lastOfName(created['jobArn']);
    if (job === undefined) throw upstreamError({ message: 'The provider gave a job no ARN.' });
    return { id: job };
  }

  async find({ id }: LostPart, call: BatchCall): Promise<string | undefined> {
    const name = jobNameOf(id);
    const found = await findListed(
      this.client,
      {
        pageOf: (token) => {
          const query = new URLSearchParams({
            nameContains: name,
            maxResults: String(PAGE_JOBS),
            ...(token !== undefined && { nextToken: token }),
          });
          return this.urlOf(`/model-invocation-jobs?${query.toString()}`);
        },
        entries: 'invocationJobSummaries',
        nextToken: 'nextToken',
      },
      ({ jobName }) => jobName === name,
      call,
    );
    return lastOfName(found?.['jobArn']);
  }

  async state(id: string, call: BatchCall): Promise<PartState> {
    const path = this.urlOf(`/model-invocation-job/${encodeURIComponent(id)}`);
    const job = await this.client.json({ method: 'GET', path }, call);
    const status = nonEmptyString(job['status']) ?? 'unknown';
    const isEnded = ENDED.has(status);
    const error = status === 'Completed' ? undefined : nonEmptyString(job['message']);
    if (!isEnded) return { isEnded, status, outputs: [], files: [], error };
    const folder = this.storage.keyOfUri(objectOf(objectOf(job['outputDataConfig'])['s3OutputDataConfig'])['s3Uri']);
    const input = this.storage.keyOfUri(objectOf(objectOf(job['inputDataConfig'])['s3InputDataConfig'])['s3Uri']);
    const written = folder === undefined ? [] : await this.storage.list(folder, call);
    const files = input === undefined ? written : [...written, input];
    return { isEnded, status, outputs: written.filter((key) => OUTPUT_FILE.test(key)), files, error };
  }

  async cancel(id: string, call: BatchCall): Promise<void> {
    const path = this.urlOf(`/model-invocation-job/${encodeURIComponent(id)}/stop`);
    await cancelBatch(this.client, { path }, call);
  }

  async *results(output: string, call: BatchCall): AsyncGenerator<PartResult | undefined> {
    for await (const line of this.storage.lines(output, call)) yield readRecordLine(line);
  }

  deleteFile(id: string, call: BatchCall): Promise<void> {
    return this.storage.delete(id, call);
  }

  async close(): Promise<void> {
    await Promise.all([this.client.close(), this.storage.close()]);
  }

  /** A quota of jobs that run at once is a 400, though there is room again later. */
  private async createJob(body: JsonObject, call: BatchCall): Promise<JsonObject> {
    let errorType: string | undefined;
    const onHeaders = (headers: IncomingHttpHeaders): void => {
      errorType = headerOf(headers, ERROR_HEADER);
    };
    try {
      return await this.client.json({ path: this.urlOf('/model-invocation-job'), body }, { ...call, onHeaders });
    } catch (error) {
      if (!QUOTA_ERROR.test(errorType ?? '')) throw error;
      throw upstreamError({ message: 'The provider has no room for another job now.', cause: error });
    }
  }

  private urlOf(path: string): string {
    return `${this.target.baseUrl}${path}`;
  }
}

/** Names of jobs and tokens have letters, digits and dashes alone. */
function jobNameOf(partId: string): string {
  return partId.replaceAll(/[^a-zA-Z\d]+/g, '-');
}

function hasMember(body: string, name: string): boolean {
  const value: unknown = JSON.parse(body);
  return isObject(value) && value[name] !== undefined;
}
