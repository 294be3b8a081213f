import { outputOf, type BatchRequest, type BatchServer, type Send, type StoredBatch } from './batch-server.js';
import { converseOf, messageOf, promptOf } from './live-response.js';
import { refusalOf } from './objects.js';

/** Fewest records of a job; it is 100 at the real one. */
const MIN_RECORDS = 10;
const NAME = /^[a-zA-Z\d]{1,63}(?:-*[a-zA-Z\d+\-.]){0,63}$/;
const STATUSES = {
  in_progress: 'InProgress',
  cancelling: 'Stopping',
  cancelled: 'Stopped',
  completed: 'Completed',
  expired: 'Expired',
} as const;

interface AskedJob {
  readonly jobName: string;
  readonly clientRequestToken: string;
  readonly roleArn: string;
  readonly modelId: string;
  readonly modelInvocationType: 'Converse' | 'InvokeModel';
  readonly inputDataConfig: { readonly s3InputDataConfig: { readonly s3Uri: string } };
  readonly outputDataConfig: { readonly s3OutputDataConfig: { readonly s3Uri: string } };
}

/** Bedrock's model invocation jobs. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html */
export function invocationJobs(server: BatchServer, request: BatchRequest, send: Send): boolean {
  const { method, url, text } = request;
  const [, kind, id, action] = url.pathname.split('/');
  if (kind !== 'model-invocation-job' && kind !== 'model-invocation-jobs') return false;
  const refusal = refusalOf(request, 'bedrock');
  if (refusal !== undefined) send(403, { message: refusal });
  else if (kind === 'model-invocation-jobs') list(server, url.searchParams, send);
  else if (id === undefined) create(server, JSON.parse(text) as AskedJob, send);
  else {
    const job = server.stored.get(id);
    if (job === undefined) send(404, { message: 'No job.' });
    else if (method === 'POST' && action === 'stop') {
      job.cancelledAt ??= Date.now();
      send(200, {});
    } else send(200, jobBody(server, job));
  }
  return true;
}

function create(server: BatchServer, asked: AskedJob, send: Send): void {
  const same = jobsOf(server).find(({ facts }) => facts['clientRequestToken'] === asked.clientRequestToken);
  if (same !== undefined) {
    send(200, { jobArn: arnOf(same) });
    return;
  }
  const input = server.files.get(asked.inputDataConfig.s3InputDataConfig.s3Uri);
  const records = (input ?? '').split('\n').map((line) => {
    const { recordId, modelInput } = JSON.parse(line) as { recordId: string; modelInput: Record<string, unknown> };
    return { customId: recordId, text: promptOf(modelInput), hasTools: 'toolConfig' in modelInput };
  });
  const isValid = NAME.test(asked.jobName) && asked.roleArn.startsWith('arn:aws:iam::');
  if (!isValid || records.length < MIN_RECORDS) {
    send(400, { message: `Batch job contains ${records.length} records, and needs ${MIN_RECORDS}.` });
    return;
  }
  const facts = { ...asked, tools: records.map(({ hasTools }) => hasTools) };
  const created = server.create({ lines: records, facts, writeError: () => ({ message: 'No.' }) });
  if ('batch' in created) send(200, { jobArn: arnOf(created.batch) });
  else send(created.status, created.body);
}

function list(server: BatchServer, query: URLSearchParams, send: Send): void {
  // A page has one job, so that lists have pages; other jobs stand before those that are asked for.
  const all = jobsOf(server).filter(({ facts }) => String(facts['jobName']).includes(query.get('nameContains') ?? ''));
  const start = Number(query.get('nextToken') ?? 0);
  const invocationJobSummaries = all.slice(start, start + 1).map((job) => jobBody(server, job));
  send(200, { invocationJobSummaries, ...(start + 1 < all.length && { nextToken: String(start + 1) }) });
}

function jobsOf(server: BatchServer): StoredBatch[] {
  return [...server.stored.values()].filter(({ facts }) => 'clientRequestToken' in facts);
}

function arnOf({ id }: StoredBatch): string {
  return `arn:aws:bedrock:us-east-1:123456789012:model-invocation-job/${id}`;
}

function jobBody(server: BatchServer, job: StoredBatch): object {
  const { jobName, inputDataConfig, outputDataConfig } = job.facts as unknown as AskedJob;
  if (server.settle(job) && job.facts['output'] === undefined) writeOutput(server, job, outputDataConfig);
  const status = server.statusOf(job);
  return {
    jobArn: arnOf(job),
    jobName,
    status: STATUSES[status],
    inputDataConfig,
    outputDataConfig,
    ...(status === 'expired' && { message: 'The job has expired.' }),
  };
}

function writeOutput(server: BatchServer, job: StoredBatch, asked: AskedJob['outputDataConfig']): void {
  const folder = `${asked.s3OutputDataConfig.s3Uri}${job.id}/`;
  const output = `${folder}input.jsonl.out`;
  const converses = job.facts['modelInvocationType'] === 'Converse';
  const tools = job.facts['tools'] as readonly boolean[];
  const lines = job.lines.map(({ customId: recordId, text }, index) => {
    if (!server.hasResult(job, index)) return '';
    if (job.behavior.garbles?.(index) === true) return `{"recordId":"${recordId}","modelOu`;
    const status = converses && tools[index] === true ? 400 : job.behavior.fails?.(index);
    const line = { modelInput: {}, recordId };
    if (status !== undefined) return JSON.stringify({ ...line, error: { errorCode: status, errorMessage: 'No.' } });
    return JSON.stringify({ ...line, modelOutput: converses ? converseOf(text) : messageOf(text) });
  });
  server.files.set(output, outputOf(lines));
  server.files.set(`${folder}manifest.json.out`, JSON.stringify({ totalRecordCount: job.lines.length }));
  Object.assign(job.facts, { output });
}
