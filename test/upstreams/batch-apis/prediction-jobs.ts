import { outputOf, type BatchRequest, type BatchServer, type Send, type StoredBatch } from './batch-server.js';
import { contentOf, messageOf, promptOf } from './live-response.js';
import { refusalOf } from './objects.js';

const COLLECTION = /^\/v1\/(projects\/[^/]+\/locations\/[^/]+\/batchPredictionJobs)(?:\/([^/:]+))?(?::(\w+))?$/;
/** Jobs per page, also where a request asks for more, so that lists have pages. */
const PAGE_JOBS = 1;
const LABEL = /^[a-z\d_-]{0,63}$/;
const STATES = {
  in_progress: 'RUNNING',
  cancelling: 'CANCELLING',
  cancelled: 'CANCELLED',
  completed: 'SUCCEEDED',
  expired: 'EXPIRED',
} as const;

interface AskedJob {
  readonly displayName: string;
  readonly model: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly inputConfig: { readonly gcsSource: { readonly uris: readonly string[] } };
  readonly outputConfig: { readonly gcsDestination: { readonly outputUriPrefix: string } };
}
interface InputLine {
  readonly custom_id?: string;
  readonly request: Record<string, unknown>;
}

/** Vertex AI's batch prediction jobs. https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs */
export function predictionJobs(server: BatchServer, request: BatchRequest, send: Send): boolean {
  const [, collection, id, action] = COLLECTION.exec(request.url.pathname) ?? [];
  if (collection === undefined) return false;
  const refusal = refusalOf(request, 'google');
  const job = id === undefined ? undefined : server.stored.get(id);
  if (refusal !== undefined) send(403, errorOf(403));
  else if (id === undefined && request.method === 'POST')
    create(server, collection, JSON.parse(request.text) as AskedJob, send);
  else if (id === undefined) list(server, request.url.searchParams, send);
  else if (job === undefined) send(404, errorOf(404));
  else if (action === 'cancel') {
    job.cancelledAt ??= Date.now();
    send(200, {});
  } else send(200, jobBody(server, job));
  return true;
}

function create(server: BatchServer, collection: string, asked: AskedJob, send: Send): void {
  const input = server.files.get(asked.inputConfig.gcsSource.uris[0] ?? '');
  if (input === undefined || !Object.values(asked.labels).every((label) => LABEL.test(label))) {
    send(400, errorOf(400));
    return;
  }
  const inputs = input.split('\n').map((line) => JSON.parse(line) as InputLine);
  const lines = inputs.map(({ request }, index) => ({ customId: String(index), text: promptOf(request) }));
  const created = server.create({ lines, facts: { ...asked, collection, inputs }, writeError: errorOf });
  if ('batch' in created) send(200, jobBody(server, created.batch));
  else send(created.status, created.body);
}

function list(server: BatchServer, query: URLSearchParams, send: Send): void {
  const [, name = '', value] = /^labels\.(\w+)="(.*)"$/.exec(query.get('filter') ?? '') ?? [];
  const all = [...server.stored.values()].filter(
    ({ facts }) => (facts['labels'] as AskedJob['labels'] | undefined)?.[name] === value && value !== undefined,
  );
  const start = Number(query.get('pageToken') ?? 0);
  const batchPredictionJobs = all.slice(start, start + PAGE_JOBS).map((job) => jobBody(server, job));
  const next = start + PAGE_JOBS;
  send(200, { batchPredictionJobs, ...(next < all.length && { nextPageToken: String(next) }) });
}

function jobBody(server: BatchServer, job: StoredBatch): object {
  const { displayName, labels, inputConfig, outputConfig } = job.facts as unknown as AskedJob;
  if (server.settle(job) && job.facts['output'] === undefined) writeOutput(server, job, outputConfig);
  const status = server.statusOf(job);
  return {
    name: `${String(job.facts['collection'])}/${job.id}`,
    displayName,
    labels,
    state: `JOB_STATE_${STATES[status]}`,
    inputConfig,
    outputConfig,
    ...(status === 'expired' && { error: { code: 4, message: 'The job has expired.' } }),
  };
}

function writeOutput(server: BatchServer, job: StoredBatch, { gcsDestination }: AskedJob['outputConfig']): void {
  const output = `${gcsDestination.outputUriPrefix}prediction-model-2026-11-28/predictions.jsonl`;
  const inputs = job.facts['inputs'] as readonly InputLine[];
  const lines = job.lines.map(({ text }, index) => {
    if (!server.hasResult(job, index)) return '';
    const input = inputs[index] ?? { request: {} };
    if (job.behavior.garbles?.(index) === true) return JSON.stringify(input).slice(0, 30);
    const status = job.behavior.fails?.(index);
    if (status !== undefined) {
      const reason = `Bad Request: ${JSON.stringify({ error: { code: status, message: 'No.', status: 'UNKNOWN' } })}`;
      return JSON.stringify({ status: reason, processed_time: '2026-11-28T12:00:00Z', ...input, response: {} });
    }
    const response = input.custom_id === undefined ? contentOf(text) : messageOf(text);
    return JSON.stringify({ status: '', processed_time: '2026-11-28T12:00:00Z', ...input, response });
  });
  server.files.set(output, outputOf(lines));
  Object.assign(job.facts, { output });
}

function errorOf(status: number): object {
  return { error: { code: status, message: 'No.', status: 'UNKNOWN' } };
}
