import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { objectOf, type JsonObject } from '../../runtime/json-value.js';
import { complain, say, type Arguments } from '../command.js';
import { CallError, type GatewayConnection } from './gateway-connection.js';
import { countsOf, endedOf, Progress, type JobCounts } from './progress.js';
import { ResultDownload } from './result-download.js';

const ENDED = ['completed', 'failed', 'cancelled', 'expired'];
/** Exit code of a job that has ended without all of its tasks having succeeded. */
const EXIT_TASKS_FAILED = 3;
/** Milliseconds between two looks at a job: of one that has just begun, and of any other. */
const FIRST_POLL_MS = 200;
const POLL_MS = 1_000;

/** Waits until a job has ended and is in the bucket that it names, if it does, and then downloads its results where a file for them is named. @returns the exit code */
export async function follow(gateway: GatewayConnection, id: string, given: Arguments): Promise<number> {
  let job = await readJob(gateway, id);
  const progress = new Progress(process.stderr, countsOf(job));
  const isSilent = given.flag('json') && !process.stderr.isTTY;
  for (let wait = FIRST_POLL_MS; !hasEnded(job); wait = Math.min(POLL_MS, wait * 1.5)) {
    if (!isSilent) progress.show(countsOf(job));
    await sleep(wait);
    job = await readJob(gateway, id);
  }
  if (!isSilent) progress.end(countsOf(job));
  if (typeof job['error'] === 'string') complain(job['error']);
  job = await followOutput(gateway, job, isSilent);
  if (given.text('output') !== undefined) return download(gateway, job, given);
  if (given.flag('json')) say(JSON.stringify(job));
  else if (given.flag('wait')) await printResults(gateway, id);
  return objectOf(job['output'])['state'] === 'failed' ? 1 : exitOf(countsOf(job));
}

/** Waits until the results of a job that has ended are in its bucket, or the gateway has given that up. @returns the job then */
async function followOutput(gateway: GatewayConnection, ended: JsonObject, isSilent: boolean): Promise<JsonObject> {
  let job = ended;
  let shown: unknown = null;
  for (;;) {
    const { s3, state, bytes, error } = objectOf(job['output']);
    const address = `s3://${String(objectOf(s3)['bucket'])}/${String(objectOf(s3)['key'])}`;
    if (typeof error === 'string' && error !== shown) complain(`${address}: ${error}`);
    shown = error;
    if (state === 'written' && !isSilent) complain(`${address}  ${String(bytes)} bytes`);
    if (state !== 'waiting' && state !== 'writing') return job;
    await sleep(POLL_MS);
    job = await readJob(gateway, String(job['job_id']));
  }
}

/** Downloads the results of a job into the file that `--output` names. @returns the exit code */
export async function download(gateway: GatewayConnection, job: JsonObject, given: Arguments): Promise<number> {
  const file = given.text('output') ?? '';
  const counts = countsOf(job);
  const total = endedOf(counts);
  const target = process.stderr;
  let shownAt = -Infinity;
  const show = (count: number): void => {
    const now = performance.now();
    if (!target.isTTY || (now - shownAt < 100 && count < total)) return;
    shownAt = now;
    target.write(`\r${count}/${total} results\u001b[K`);
  };
  const count = await new ResultDownload(gateway, String(job['job_id']), file).run(total, show).finally(() => {
    if (target.isTTY) target.write('\n');
  });
  const { succeeded, failed } = counts;
  if (given.flag('json')) say(JSON.stringify({ job_id: job['job_id'], file, results: count, succeeded, failed }));
  else say(`${file}  ${count} results, ${succeeded} succeeded`);
  return exitOf(counts);
}

/** Writes the results of a job to standard output. @throws CallError where they are interrupted */
export async function printResults(gateway: GatewayConnection, id: string): Promise<void> {
  const response = await gateway.call(`/v1/batch/${id}/results`, { isRepeatable: true });
  try {
    for await (const chunk of response.body ?? []) {
      if (!process.stdout.write(chunk as Uint8Array)) await once(process.stdout, 'drain');
    }
  } catch {
    throw new CallError(
      'The results were interrupted. Run the command again, or download them with --output, which continues.',
    );
  }
}

/** A job without its results. */
export function readJob(gateway: GatewayConnection, id: string): Promise<JsonObject> {
  return gateway.read(`/v1/batch/${id}?results=false`);
}

export function hasEnded(job: JsonObject): boolean {
  return ENDED.includes(String(job['status']));
}

/** The exit code of a command for a job in this state. */
export function exitOf(counts: JobCounts): number {
  return counts.succeeded === counts.total ? 0 : ENDED.includes(counts.status) ? EXIT_TASKS_FAILED : 0;
}
