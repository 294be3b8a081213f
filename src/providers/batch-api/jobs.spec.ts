import fc from 'fast-check';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { definitionNamed } from '../definitions/registry.js';
import type { BatchStorage } from '../definitions/storage/batch-storage.js';
import type { CallContext, JsonCall } from '../transport/json-call.js';
import type { BatchApi, LostPart, NewPart, PartResult } from './batch-api.js';
import type { BatchClient } from './batch-client.js';
import { InvocationJobs } from './invocation-jobs.js';
import { ObjectStorage } from './object-storage.js';
import { PredictionJobs } from './prediction-jobs.js';

const CALL = { requestId: 'req_1', signal: new AbortController().signal };
const PART: Omit<NewPart, 'endpoint'> = {
  id: 'part_01ab',
  upstreamModel: 'the-model',
  headers: {},
  creation: { begin: () => Promise.resolve(), check: () => undefined },
  lines: {
    contentType: 'application/jsonl',
    length: 2,
    open: async function* () {
      yield await Promise.resolve(Buffer.from('{}'));
    },
  },
};
const lost: LostPart = { id: PART.id, since: 0, lineCount: 1, known: new Set<string>() };

/** A client that responds by path and keeps what it was sent. */
class FakeClient {
  readonly sent: JsonCall[] = [];
  /** Lines of objects by the end of their address. */
  readonly objects = new Map<string, readonly string[]>();

  constructor(
    private readonly responses: (path: string) => JsonObject | string | GatewayError,
    private readonly errorType?: string,
  ) {}

  async json(call: JsonCall, context: Pick<CallContext, 'onHeaders'>): Promise<JsonObject> {
    const response = await this.respond(call, context);
    return typeof response === 'string' ? {} : response;
  }

  async text(call: JsonCall, context: Pick<CallContext, 'onHeaders'>): Promise<string> {
    const response = await this.respond(call, context);
    return typeof response === 'string' ? response : '';
  }

  readonly uploadText = this.text.bind(this);

  async *lines(path: string): AsyncGenerator<string> {
    for (const line of this.objects.get(path) ?? []) yield await Promise.resolve(line);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private respond(call: JsonCall, { onHeaders }: Pick<CallContext, 'onHeaders'>): Promise<JsonObject | string> {
    this.sent.push(call);
    const response = this.responses(call.path);
    if (this.errorType !== undefined) onHeaders?.({ 'x-amzn-errortype': this.errorType });
    return response instanceof GatewayError ? Promise.reject(response) : Promise.resolve(response);
  }
}

const S3: BatchStorage = { scheme: 's3', bucket: 'mine', prefix: 'batches/', bucketUrl: 'https://mine.s3.example' };
const GS: BatchStorage = { scheme: 'gs', bucket: 'mine', prefix: '', bucketUrl: 'https://storage.example/mine' };

function apiOf(name: 'bedrock' | 'vertex', client: FakeClient): BatchApi {
  const format = definitionNamed(name)?.batches;
  if (format === undefined) throw new Error(`${name} has no batches`);
  const sender = client as unknown as BatchClient;
  if (name === 'vertex') return new PredictionJobs(format, sender, new ObjectStorage(GS, sender), 'https://v/p/l');
  const target = { baseUrl: 'https://bedrock.example', roleArn: 'arn:aws:iam::123456789012:role/r' };
  return new InvocationJobs(format, sender, new ObjectStorage(S3, sender), target);
}

async function allOf(results: AsyncIterable<PartResult | undefined>): Promise<(PartResult | undefined)[]> {
  const all: (PartResult | undefined)[] = [];
  for await (const each of results) all.push(each);
  return all;
}

const page = (keys: readonly string[], token?: string): string =>
  `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}` +
  `<IsTruncated>${token !== undefined}</IsTruncated>${token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`}</ListBucketResult>`;

describe('model invocation jobs', () => {
  const arn = 'arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/abc123def456';

  it.each([
    ['/converse', 'Converse'],
    ['/invoke', 'InvokeModel'],
  ])(
    'for %s read an object, and are created once by a token that is made of the id of the part',
    async (endpoint, type) => {
      const client = new FakeClient((path) => (path.endsWith('job') ? { jobArn: arn } : ''));
      const api = apiOf('bedrock', client);
      expect(await api.create({ ...PART, endpoint }, CALL)).toEqual({ id: 'abc123def456' });
      const [write, create] = client.sent;
      expect(write).toMatchObject({ method: 'PUT', path: 'https://mine.s3.example/batches/part_01ab/input.jsonl' });
      expect(create?.path).toBe('https://bedrock.example/model-invocation-job');
      expect(create?.body).toMatchObject({
        jobName: 'part-01ab',
        clientRequestToken: 'part-01ab',
        modelId: 'the-model',
        modelInvocationType: type,
        roleArn: 'arn:aws:iam::123456789012:role/r',
        inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://mine/batches/part_01ab/input.jsonl' } },
        outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://mine/batches/part_01ab/output/' } },
      });
    },
  );

  it('have no requests of other endpoints, and none with tools that converse', () => {
    const api = apiOf('bedrock', new FakeClient(() => ''));
    expect(api.minLines).toBe(100);
    expect(api.endpointOf('/model/us.amazon.nova-lite-v1%3A0/converse')).toBe('/converse');
    expect(api.endpointOf('/model/anthropic.claude-3/invoke')).toBe('/invoke');
    expect(api.endpointOf('/model/m/converse-stream')).toBeUndefined();
    expect(api.endpointOf('/rerank')).toBeUndefined();
    const line = (endpoint: string, body: object): string | undefined =>
      api.line({ customId: 'part_01ab-3', endpoint, body: JSON.stringify(body) });
    const text = { messages: [{ role: 'user', content: [{ text: 'What is "toolConfig"?' }] }] };
    expect(JSON.parse(line('/converse', text) ?? '')).toEqual({ recordId: 'part_01ab-3', modelInput: text });
    expect(line('/converse', { ...text, toolConfig: { tools: [] } })).toBeUndefined();
    expect(line('/converse', { ...text, metadata: { toolConfig: 1 } })).toBeDefined();
    expect(line('/invoke', { ...text, tools: [] })).toBeDefined();
  });

  it('are found by their whole name, on any page', async () => {
    const job = (jobName: string): JsonObject => ({ jobName, jobArn: arn });
    const client = new FakeClient((path) =>
      path.includes('nextToken=t2')
        ? { invocationJobSummaries: [job('part-01ab')] }
        : { invocationJobSummaries: [job('part-01ab-9'), job('other-part-01ab')], nextToken: 't2' },
    );
    expect(await apiOf('bedrock', client).find(lost, CALL)).toBe('abc123def456');
    expect(client.sent[0]?.path).toContain('/model-invocation-jobs?nameContains=part-01ab&');
    expect(await apiOf('bedrock', new FakeClient(() => ({}))).find(lost, CALL)).toBeUndefined();
  });

  it.each([
    ['Submitted', false],
    ['Validating', false],
    ['Scheduled', false],
    ['InProgress', false],
    ['Stopping', false],
    ['Completed', true],
    ['PartiallyCompleted', true],
    ['Failed', true],
    ['Stopped', true],
    ['Expired', true],
    ['ANewOne', false],
  ])('that are %s have ended: %s; their results are what was written', async (status, isEnded) => {
    const folder = 'batches/part_01ab/output/';
    const keys = [`${folder}abc/input.jsonl.out`, `${folder}abc/manifest.json.out`];
    const client = new FakeClient((path) => {
      if (!path.includes('list-type')) {
        return {
          status,
          message: 'Why',
          inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://mine/batches/part_01ab/input.jsonl' } },
          outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://mine/${folder}` } },
        };
      }
      return path.includes('continuation-token=2') ? page(keys.slice(1)) : page(keys.slice(0, 1), '2');
    });
    const state = await apiOf('bedrock', client).state('abc', CALL);
    expect(state).toMatchObject({ isEnded, outputs: isEnded ? [keys[0]] : [] });
    expect(state.files).toEqual(isEnded ? [...keys, 'batches/part_01ab/input.jsonl'] : []);
    expect(state.error).toBe(status === 'Completed' ? undefined : 'Why');
  });

  it('that failed before they wrote anything, or have files elsewhere, have no results', async () => {
    const nothing = new FakeClient((path) => (path.includes('list-type') ? page([]) : { status: 'Failed' }));
    expect(await apiOf('bedrock', nothing).state('abc', CALL)).toMatchObject({ isEnded: true, outputs: [], files: [] });
    const elsewhere = new FakeClient(() => ({
      status: 'Completed',
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://other/x/' } },
    }));
    expect(await apiOf('bedrock', elsewhere).state('abc', CALL)).toMatchObject({ outputs: [], files: [] });
  });

  it('wait for room where the account has as many as it may have, and are refused for other faults', async () => {
    const refusal = Object.assign(upstreamError({ message: 'Refused.' }), {
      upstream: { status: 400, code: undefined, message: 'No.' },
    });
    const create = async (errorType: string): Promise<unknown> => {
      const client = new FakeClient((path) => (path.endsWith('job') ? refusal : ''), errorType);
      return apiOf('bedrock', client)
        .create({ ...PART, endpoint: '/converse' }, CALL)
        .catch((error: unknown) => error);
    };
    for (const type of ['ServiceQuotaExceededException', 'ThrottlingException:http://internal.amazon.com/']) {
      const error = await create(type);
      expect(error).toBeInstanceOf(GatewayError);
      expect(error).toMatchObject({ status: 502, retryable: true });
      expect((error as GatewayError).upstream?.status).toBeUndefined();
    }
    expect(await create('ValidationException')).toBe(refusal);
  });

  it('have results by record, each on its own', async () => {
    const client = new FakeClient(() => '');
    client.objects.set('https://mine.s3.example/batches/o.jsonl.out', [
      '{"recordId":"a","modelInput":{},"modelOutput":{"output":{}}}',
      '{"recordId":"b","error":{"errorCode":429,"errorMessage":"Slow"}}',
      '{"recordId":"c","modelOu',
    ]);
    const results = await allOf(apiOf('bedrock', client).results('batches/o.jsonl.out', CALL));
    expect(results.map((each) => [each?.customId, each?.response?.status])).toEqual([
      ['a', 200],
      ['b', 429],
      [undefined, undefined],
    ]);
  });
});

describe('batch prediction jobs', () => {
  const name = 'projects/1/locations/us-central1/batchPredictionJobs/456';

  it.each([
    [':generateContent', 'publishers/google/models/the-model'],
    [':rawPredict', 'publishers/anthropic/models/the-model'],
  ])('for %s read an object, and have the id of the part as a label', async (endpoint, model) => {
    const client = new FakeClient((path) => (path.endsWith('Jobs') ? { name } : ''));
    expect(await apiOf('vertex', client).create({ ...PART, endpoint }, CALL)).toEqual({ id: '456' });
    const [write, create] = client.sent;
    expect(write).toMatchObject({ method: 'PUT', path: 'https://storage.example/mine/part_01ab/input.jsonl' });
    expect(create?.path).toBe('https://v/p/l/batchPredictionJobs');
    const chunks: Buffer[] = [];
    for await (const chunk of (create?.body as NewPart['lines']).open()) chunks.push(chunk);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({
      model,
      labels: { gateway_part: 'part_01ab' },
      inputConfig: { instancesFormat: 'jsonl', gcsSource: { uris: ['gs://mine/part_01ab/input.jsonl'] } },
      outputConfig: { gcsDestination: { outputUriPrefix: 'gs://mine/part_01ab/output/' } },
    });
  });

  it('name each line by a label beside those of the request, and keep its numbers', () => {
    const api = apiOf('vertex', new FakeClient(() => ''));
    expect(api.minLines).toBe(1);
    const line = (endpoint: string, body: string): string =>
      api.line({ customId: 'part_01ab-3', endpoint, body }) ?? '';
    const body = '{"contents":[],"labels":{"team":"a"},"seed":12345678901234567890}';
    const written = line(':generateContent', body);
    expect(JSON.parse(written)).toMatchObject({ request: { labels: { team: 'a', gateway_line: 'part_01ab-3' } } });
    expect(written).toContain('12345678901234567890');
    expect(JSON.parse(line(':rawPredict', '{"messages":[]}'))).toEqual({
      custom_id: 'part_01ab-3',
      request: { messages: [] },
    });
    // A label has small letters, digits, `_` and `-` alone, 63 at most.
    expect('part_0123456789abcdef01234567-1234567890').toMatch(/^[a-z\d_-]{1,63}$/);
  });

  it('are found by their label, on any page', async () => {
    const job = (label: string): JsonObject => ({ name, labels: { gateway_part: label } });
    const client = new FakeClient((path) =>
      path.includes('pageToken=t2')
        ? { batchPredictionJobs: [job('part_01ab')] }
        : { batchPredictionJobs: [job('part_9'), { name }], nextPageToken: 't2' },
    );
    expect(await apiOf('vertex', client).find(lost, CALL)).toBe('456');
    const { searchParams } = new URL(client.sent[0]?.path ?? '');
    expect(searchParams.get('filter')).toBe('labels.gateway_part="part_01ab"');
    expect(await apiOf('vertex', new FakeClient(() => ({}))).find(lost, CALL)).toBeUndefined();
  });

  it.each([
    ['QUEUED', false],
    ['PENDING', false],
    ['RUNNING', false],
    ['CANCELLING', false],
    ['PAUSED', false],
    ['UPDATING', false],
    ['SUCCEEDED', true],
    ['PARTIALLY_SUCCEEDED', true],
    ['FAILED', true],
    ['CANCELLED', true],
    ['EXPIRED', true],
  ])('that are %s have ended: %s; each file of their output is read', async (state, isEnded) => {
    const keys = [
      'part_01ab/output/prediction-model-1/predictions.jsonl',
      'part_01ab/output/prediction-model-1/x.json',
    ];
    const client = new FakeClient((path) =>
      path.includes('list-type')
        ? page(keys)
        : {
            state: `JOB_STATE_${state}`,
            error: { message: 'Why' },
            inputConfig: { gcsSource: { uris: ['gs://mine/part_01ab/input.jsonl'] } },
            outputConfig: { gcsDestination: { outputUriPrefix: 'gs://mine/part_01ab/output/' } },
          },
    );
    const found = await apiOf('vertex', client).state('456', CALL);
    expect(found).toMatchObject({ isEnded, status: state, outputs: isEnded ? [keys[0]] : [], error: 'Why' });
    expect(found.files).toEqual(isEnded ? [...keys, 'part_01ab/input.jsonl'] : []);
  });
});

describe('the storage of batches', () => {
  it('knows its own addresses, with any prefix', () => {
    const name = fc.stringMatching(/^[\w.-]{1,20}$/);
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 3 }), name, (part, folders, file) => {
        const prefix = folders.map((folder) => `${folder}/`).join('');
        const storage = new ObjectStorage({ ...S3, prefix }, new FakeClient(() => '') as unknown as BatchClient);
        const key = storage.keyOf(part, file);
        expect(storage.keyOfUri(storage.uriOf(key))).toBe(key);
        expect(storage.keyOfUri(`s3://mine2/${key}`)).toBeUndefined();
        expect(storage.keyOfUri(`gs://mine/${key}`)).toBeUndefined();
      }),
    );
    const storage = new ObjectStorage(S3, new FakeClient(() => '') as unknown as BatchClient);
    for (const uri of ['s3://mine/', undefined, 7]) expect(storage.keyOfUri(uri)).toBeUndefined();
  });

  it('deletes what is no longer there, and says what cannot be deleted', async () => {
    const failing = (status: number): ObjectStorage => {
      const error = Object.assign(upstreamError({ message: 'No.' }), {
        upstream: { status, code: undefined, message: undefined },
      });
      return new ObjectStorage(S3, new FakeClient(() => error) as unknown as BatchClient);
    };
    await failing(404).delete('a', CALL);
    await expect(failing(403).delete('a', CALL)).rejects.toThrow(GatewayError);
  });
});
