import fc from 'fast-check';
import { GatewayError } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { PROVIDER_DEFINITIONS } from '../definitions/registry.js';
import type { BatchFormat } from '../definitions/types/batch-format.js';
import type { BatchApi, NewPart } from './batch-api.js';
import type { BatchClient } from './batch-client.js';
import { ContentBatches } from './content-batches.js';
import { FileBatches } from './file-batches.js';
import { InvocationJobs } from './invocation-jobs.js';
import { AnthropicMessageBatches } from './message-batches.js';
import { ObjectStorage } from './object-storage.js';
import { PredictionJobs } from './prediction-jobs.js';

const CALL = { requestId: 'req_1', signal: new AbortController().signal };
/** Members that any of the APIs has, so that what is read of a response is often there, with a value of any kind. */
const MEMBERS = [
  ...['id', 'name', 'status', 'state', 'done', 'data', 'error', 'errors', 'file', 'metadata', 'response', 'output'],
  ...['responsesFile', 'inlinedResponses', 'displayName', 'inputConfig', 'fileName', 'operations', 'nextPageToken'],
  ...['jobArn', 'jobName', 'invocationJobSummaries', 'nextToken', 'inputDataConfig', 's3InputDataConfig', 's3Uri'],
  ...['batchPredictionJobs', 'labels', 'outputConfig', 'gcsDestination', 'outputUriPrefix', 'gcsSource', 'uris'],
  ...[
    'output_file_id',
    'error_file_id',
    'input_files',
    'created_at',
    'request_counts',
    'processing_status',
    'results_url',
  ],
  ...[
    'custom_id',
    'key',
    'result',
    'recordId',
    'modelOutput',
    'request',
    'message',
    'code',
    'type',
    'has_more',
    'status_code',
    'body',
  ],
];
const TEXTS = [
  ...['completed', 'SUCCESS', 'ended', 'BATCH_STATE_SUCCEEDED', 'JOB_STATE_EXPIRED', 'Completed', 'Stopped', ''],
  ...['batches/b', 'files/f', '../../x', 's3://bucket/a', 'gs://bucket/', 'https://x.example/', '2026-11-28', 'part_1'],
];

const responses = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...TEXTS),
    fc.constantFrom(null, true, false, 0, -1, 404, 1e300),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...MEMBERS), tie('value'), { maxKeys: 8 }),
})).object;

/** The batch API of a format whose provider responds with anything. */
function apiOf(format: BatchFormat, list: readonly JsonObject[]): BatchApi {
  let count = 0;
  const next = (): JsonObject => list[count++ % list.length] ?? {};
  const client = {
    json: () => Promise.resolve(next()),
    upload: () => Promise.resolve(next()),
    text: () => Promise.resolve(JSON.stringify(next())),
    uploadText: () => Promise.resolve(''),
    lines: async function* () {
      for (const each of list) yield await Promise.resolve(JSON.stringify(each));
    },
  } as unknown as BatchClient;
  const bucket = { bucket: 'bucket', prefix: '', bucketUrl: 'https://bucket.example' };
  switch (format.format) {
    case 'message-batches':
      return new AnthropicMessageBatches(format, client);
    case 'content-batches':
      return new ContentBatches(format, client, 'https://api.example/v1beta');
    case 'invocation-jobs': {
      const target = { baseUrl: 'https://api.example', roleArn: 'arn' };
      return new InvocationJobs(format, client, new ObjectStorage({ ...bucket, scheme: 's3' }, client), target);
    }
    case 'prediction-jobs':
      return new PredictionJobs(format, client, new ObjectStorage({ ...bucket, scheme: 'gs' }, client), '');
    case 'files-and-batches':
    case 'files-and-jobs':
      return new FileBatches(format, client, (path) => path);
  }
}

/** What a call gives; undefined where it fails as a call of a provider does. */
async function resultOf<Result>(call: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

const FORMATS = new Map(
  PROVIDER_DEFINITIONS.flatMap(({ batches }) => (batches === undefined ? [] : [[batches.format, batches] as const])),
);

describe.each([...FORMATS])('%s whose provider responds with anything', (_name, format) => {
  it('have a state that can be used, or fail as any call of the provider', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(responses, { minLength: 1, maxLength: 3 }), async (list) => {
        const state = await resultOf(() => apiOf(format, list).state('batches/b', CALL));
        if (state === undefined) return;
        expect(typeof state.isEnded).toBe('boolean');
        for (const text of [state.status, ...state.outputs, ...state.files]) expect(text).not.toBe('');
        for (const text of [state.status, ...state.outputs, ...state.files]) expect(typeof text).toBe('string');
        expect(['string', 'undefined']).toContain(typeof state.error);
      }),
      { numRuns: 300 },
    );
  });

  it('have an id when they were created or found, and results with a name', async () => {
    const lines = { contentType: 'application/jsonl', length: 0, open: async function* () {} };
    const creation = { begin: () => Promise.resolve(), check: () => undefined };
    const part: NewPart = { id: 'part_1', endpoint: '/e', upstreamModel: 'm', headers: {}, lines, creation };
    const lost = { id: 'part_1', since: 0, lineCount: 0, known: new Set<string>() };
    await fc.assert(
      fc.asyncProperty(fc.array(responses, { minLength: 1, maxLength: 3 }), async (list) => {
        const created = await resultOf(() => apiOf(format, list).create(part, CALL));
        const found = await resultOf(() => apiOf(format, list).find(lost, CALL));
        for (const id of [created?.id, found]) if (id !== undefined) expect(id).toMatch(/./);
        await resultOf(() => apiOf(format, list).cancel('batches/b', CALL));
        await resultOf(async () => {
          for await (const result of apiOf(format, list).results('files/f', CALL)) {
            if (result === undefined) continue;
            expect(typeof result.customId).toBe('string');
            if (result.response !== undefined) expect(result.response.status).toBeGreaterThanOrEqual(100);
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});
