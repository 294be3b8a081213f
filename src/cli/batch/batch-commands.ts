import { randomUUID } from 'node:crypto';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { complain, say, UsageError, type Arguments, type Command } from '../command.js';
import { download, exitOf, follow, hasEnded, printResults, readJob } from './follow-job.js';
import { CallError, CONNECTION_OPTIONS, GatewayConnection } from './gateway-connection.js';
import { countsOf, lineOf } from './progress.js';
import { jobFields, SUBMISSION_OPTIONS, JOB_OPTIONS, submissionBody, withLines } from './submission-body.js';
import { TaskFile } from './task-file.js';

const JSON_OPTION = { json: { meaning: 'prints JSON' } };

/** Makes a command whose failed calls are one line on standard error. */
function command(
  definition: Omit<Command, 'run'>,
  run: (gateway: GatewayConnection, given: Arguments) => Promise<number>,
): Command {
  return {
    ...definition,
    options: { ...definition.options, ...CONNECTION_OPTIONS },
    run: async (given) => {
      const gateway = GatewayConnection.of(given);
      try {
        return await run(gateway, given);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        complain(error.message);
        return 1;
      }
    },
  };
}

const BATCH_SUBMIT = command(
  {
    name: 'batch submit',
    summary: 'submits the tasks of a file, one JSON object a line',
    usage: '<file> [options]',
    options: {
      ...SUBMISSION_OPTIONS,
      watch: { meaning: 'waits until the job has ended, and shows its progress' },
      output: { value: 'file', meaning: 'waits, and downloads the results into a new file' },
      'idempotency-key': { value: 'text', meaning: 'the same key and file are the same job for 24 hours' },
      ...JSON_OPTION,
    },
    maxWords: 1,
  },
  async (gateway, given) => {
    const job = await withFile(given, async (file) => {
      const submission = await submissionBody(file, given);
      const key = given.text('idempotency-key') ?? randomUUID();
      return sendTasks(gateway, '/v1/batch/generate', { file, submission, headers: { 'idempotency-key': key } });
    });
    const id = String(job['job_id']);
    const isSilent = given.flag('json');
    if (isSilent && !waits(given)) say(JSON.stringify(job));
    if (!isSilent) say(`${id}  ${String(job['task_count'])} tasks`);
    if (!waits(given)) {
      if (!isSilent) complain(`Follow it with: llm-gateway batch watch ${id}`);
      return 0;
    }
    return follow(gateway, id, given);
  },
);

const BATCH_ESTIMATE = command(
  {
    name: 'batch estimate',
    summary: 'says what the tasks of a file would cost, and stores nothing',
    usage: '<file> [options]',
    options: { ...SUBMISSION_OPTIONS, ...JSON_OPTION },
    maxWords: 1,
  },
  async (gateway, given) => {
    const estimate = await withFile(given, async (file) =>
      sendTasks(gateway, '/v1/batch/estimate', { file, submission: await submissionBody(file, given) }),
    );
    if (given.flag('json')) say(JSON.stringify(estimate));
    else for (const line of estimateLines(estimate)) say(line);
    return 0;
  },
);

const BATCH_WATCH = command(
  {
    name: 'batch watch',
    summary: 'shows the progress of a job until it has ended',
    usage: '<id> [options]',
    options: JSON_OPTION,
    maxWords: 1,
  },
  (gateway, given) => follow(gateway, idOf(given), given),
);

const BATCH_RESULTS = command(
  {
    name: 'batch results',
    summary: 'downloads the results of a job, one JSON object a line',
    usage: '<id> [options]',
    options: {
      output: { value: 'file', meaning: 'a new file; an interrupted download continues. Default standard output' },
      wait: { meaning: 'waits until the job has ended' },
      json: { meaning: 'prints what was downloaded as JSON' },
    },
    maxWords: 1,
  },
  async (gateway, given) => {
    const id = idOf(given);
    if (given.flag('wait')) return follow(gateway, id, given);
    const job = await readJob(gateway, id);
    if (given.text('output') === undefined) {
      await printResults(gateway, id);
      return exitOf(countsOf(job));
    }
    if (!hasEnded(job)) {
      complain(`${id} has not ended (${lineOf(countsOf(job))}). Wait for it with --wait.`);
      return 1;
    }
    return download(gateway, job, given);
  },
);

const BATCH_CANCEL = command(
  {
    name: 'batch cancel',
    summary: 'ends a job; results that there are stay',
    usage: '<id> [options]',
    options: JSON_OPTION,
    maxWords: 1,
  },
  async (gateway, given) => {
    const job = await gateway.post(`/v1/batch/${idOf(given)}/cancel`, {});
    say(given.flag('json') ? JSON.stringify(job) : `${String(job['job_id'])}  ${lineOf(countsOf(job))}`);
    return 0;
  },
);

const BATCH_LIST = command(
  {
    name: 'batch list',
    summary: 'lists your jobs, newest first',
    usage: '[options]',
    options: { limit: { value: 'n', meaning: 'most jobs. Default 20' }, json: { meaning: 'one JSON object a line' } },
    maxWords: 0,
  },
  async (gateway, given) => {
    const limit = Number(given.text('limit') ?? '20');
    if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number of at least 1.');
    let count = 0;
    for (let after: string | undefined; count < limit;) {
      const query = new URLSearchParams({
        limit: String(Math.min(100, limit - count)),
        ...(after !== undefined && { after }),
      });
      const page = await gateway.read(`/v1/batch?${query.toString()}`);
      const jobs = (Array.isArray(page['data']) ? page['data'] : []).filter(isObject);
      for (const job of jobs) say(given.flag('json') ? JSON.stringify(job) : listed(job));
      count += jobs.length;
      after = typeof page['next'] === 'string' ? page['next'] : undefined;
      if (page['has_more'] !== true || after === undefined) break;
    }
    if (count === 0 && !given.flag('json')) say('There are no batches of this key.');
    return 0;
  },
);

const BATCH_RETRY = command(
  {
    name: 'batch retry',
    summary: 'runs tasks of a job again as a new job: those that failed or expired',
    usage: '<id> [options]',
    options: {
      'custom-id': { value: 'id', isRepeatable: true, meaning: 'only this task, with any status; repeat it' },
      status: { value: 'status', isRepeatable: true, meaning: 'failed, expired, cancelled or succeeded; repeat it' },
      ...JOB_OPTIONS,
      watch: { meaning: 'waits until the new job has ended' },
      output: { value: 'file', meaning: 'waits, and downloads the results into a new file' },
      ...JSON_OPTION,
    },
    maxWords: 1,
  },
  async (gateway, given) => {
    const ids = given.list('custom-id');
    const statuses = given.list('status');
    const fields = {
      ...(ids.length > 0 && { custom_ids: [...ids] }),
      ...(statuses.length > 0 && { statuses: [...statuses] }),
      ...jobFields(given),
    };
    const job = await gateway.post(`/v1/batch/${idOf(given)}/retry`, fields, false);
    const id = String(job['job_id']);
    const isSilent = given.flag('json');
    if (isSilent && !waits(given)) say(JSON.stringify(job));
    if (!isSilent) say(`${id}  ${String(job['task_count'])} tasks`);
    return waits(given) ? follow(gateway, id, given) : 0;
  },
);

/** Every command of `llm-gateway batch`. They use the public API of a gateway alone. */
export const BATCH_COMMANDS: readonly Command[] = [
  BATCH_SUBMIT,
  BATCH_WATCH,
  BATCH_RESULTS,
  BATCH_CANCEL,
  BATCH_LIST,
  BATCH_RETRY,
  BATCH_ESTIMATE,
];

async function sendTasks(
  gateway: GatewayConnection,
  path: string,
  {
    file,
    submission,
    headers = {},
  }: {
    file: TaskFile;
    submission: Awaited<ReturnType<typeof submissionBody>>;
    headers?: Readonly<Record<string, string>>;
  },
): Promise<JsonObject> {
  try {
    const response = await gateway.call(path, {
      method: 'POST',
      body: () => encoded(submission.body()),
      headers,
      isRepeatable: true,
    });
    return (await response.json()) as JsonObject;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    throw new CallError(withLines(error.message, submission, file), error.status, error.param);
  }
}

async function* encoded(text: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const piece of text) yield Buffer.from(piece);
}

async function withFile<Result>({ words }: Arguments, work: (file: TaskFile) => Promise<Result>): Promise<Result> {
  const [name] = words;
  if (name === undefined) throw new UsageError('Which file? Name one with a task a line, or - for standard input.');
  const file = await TaskFile.open(name);
  try {
    return await work(file);
  } finally {
    file.dispose();
  }
}

function idOf({ words }: Arguments): string {
  const [id] = words;
  if (id === undefined) throw new UsageError('Which job? Give its id, as llm-gateway batch list shows it.');
  if (!/^[\w-]{1,64}$/.test(id)) throw new UsageError(`'${id.slice(0, 64)}' is no id of a job.`);
  return id;
}

function waits({ flag, text }: Arguments): boolean {
  return flag('watch') || text('output') !== undefined;
}

function listed(job: JsonObject): string {
  const at =
    typeof job['submitted_at'] === 'number' ? new Date(job['submitted_at'] * 1_000).toISOString().slice(0, 19) : '';
  return `${String(job['job_id'])}  ${at}Z  ${String(job['model'])}  ${lineOf(countsOf(job))}`;
}

function estimateLines(estimate: JsonObject): string[] {
  const money = (value: unknown): string =>
    typeof value === 'number' ? `$${value.toFixed(value < 0.01 ? 6 : 2)}` : 'price unknown';
  const row = (name: string, each: JsonObject): string =>
    `${name}  ${String(each['task_count'])} tasks  ${String(each['tokens'])} tokens  likely ${money(each['likely_cost_usd'])}  at most ${money(each['worst_cost_usd'])}`;
  const models = (Array.isArray(estimate['models']) ? estimate['models'] : []).filter(isObject);
  const lines = [row('all', estimate), ...models.map((each) => row(String(each['model']), each))];
  const { duplicate_count: duplicates, seconds_at_rate: seconds, is_covered: isCovered } = estimate;
  if (typeof duplicates === 'number' && duplicates > 0)
    lines.push(`${duplicates} tasks have the request of another one`);
  if (typeof seconds === 'number') lines.push(`${seconds} seconds at least at this rate`);
  if (isCovered === false) lines.push('--max-cost does not cover the highest cost: some tasks may fail because of it');
  return lines;
}
