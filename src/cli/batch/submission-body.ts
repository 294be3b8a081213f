import { parseDuration } from '../../config/units.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { UsageError, type Arguments, type Command } from '../command.js';
import { modelOfLine, type TaskFile } from './task-file.js';

/** Options of a job, as `submit`, `estimate` and `retry` take them. */
export const JOB_OPTIONS: Command['options'] = {
  'max-cost': { value: 'dollars', meaning: 'the job never costs more; what it does not cover fails' },
  rpm: { value: 'n', meaning: 'tasks that start in any minute' },
  tpm: { value: 'n', meaning: 'tokens of tasks that start in any minute' },
  concurrency: { value: 'n', meaning: 'tasks that run at once' },
  'not-before': { value: 'time', meaning: 'nothing starts before: 2026-12-01T22:00:00Z, Unix seconds, or in 2h' },
  window: {
    value: 'times',
    isRepeatable: true,
    meaning: "when tasks may start, such as '22:00-06:00 Europe/Berlin'; repeat it",
  },
  dedupe: { meaning: 'runs tasks with the same request once' },
  'order-by-prefix': { meaning: 'runs prompts that begin alike after each other, for the cache of the provider' },
  'expires-in': { value: 'duration', meaning: 'when unfinished tasks expire, such as 12h. Default 24h' },
};

/** Options of a submission beside those of its job. */
export const SUBMISSION_OPTIONS: Command['options'] = {
  model: { value: 'id', meaning: 'of tasks that name none. Default the model of the first task' },
  endpoint: { value: 'path', meaning: 'of tasks that name none. Default /v1/chat/completions' },
  'max-tokens': { value: 'n', meaning: 'of tasks that do not say it themselves' },
  priority: { value: 'level', meaning: 'high, normal or low, among your jobs' },
  s3: {
    value: 's3://bucket/key',
    meaning: 'the gateway writes the results to this object of a bucket that its operator has allowed',
  },
  ...JOB_OPTIONS,
};

/** The fields of a job by the names of the API. @throws UsageError for a value that is none */
export function jobFields({ text, list, flag }: Arguments): JsonObject {
  const rate = fieldsOf({
    requests_per_minute: numberOf('rpm', text('rpm')),
    tokens_per_minute: numberOf('tpm', text('tpm')),
  });
  const windows = list('window');
  const expires = text('expires-in');
  const lifetime = parseDuration(expires);
  if (expires !== undefined && lifetime === undefined) {
    throw new UsageError('--expires-in must be a duration with its unit, such as 12h or 7d.');
  }
  return fieldsOf({
    max_cost_usd: numberOf('max-cost', text('max-cost')),
    rate: Object.keys(rate).length === 0 ? undefined : rate,
    concurrency: numberOf('concurrency', text('concurrency')),
    not_before: momentOf(text('not-before')),
    windows: windows.length === 0 ? undefined : [...windows],
    dedupe: flag('dedupe') ? true : undefined,
    order: flag('order-by-prefix') ? 'prefix' : undefined,
    expires_in: lifetime === undefined ? undefined : Math.round(lifetime / 1_000),
  });
}

/** The body of a submission, and which line each of its tasks came from. */
export interface SubmissionBody {
  /** Made anew for each try. */
  readonly body: () => AsyncGenerator<string>;
  /** Line numbers by the index of the task. */
  readonly lines: readonly number[];
}

/**
 * Reads the whole file once, so that its faults are known before anything is sent.
 *
 * @throws UsageError for a file without tasks, a line that is no task, and where no model is named
 */
export async function submissionBody(file: TaskFile, given: Arguments): Promise<SubmissionBody> {
  const lines: number[] = [];
  let first: string | undefined;
  for await (const { number, text } of file.lines()) {
    first ??= text;
    lines.push(number);
  }
  if (first === undefined) throw new UsageError(`${file.name} has no tasks. Write one JSON object a line.`);
  const model = given.text('model') ?? modelOfLine(first);
  if (model === undefined) {
    throw new UsageError(`The first task of ${file.name} names no model. Name the model of such tasks with --model.`);
  }
  const fields = fieldsOf({
    model,
    endpoint: given.text('endpoint'),
    max_tokens: numberOf('max-tokens', given.text('max-tokens')),
    priority: given.text('priority'),
    output: outputOf(given.text('s3')),
    ...jobFields(given),
  });
  return { lines, body: () => bodyOf(fields, file) };
}

/** A message of the gateway with the lines of the file in place of its own paths. */
export function withLines(message: string, { lines }: SubmissionBody, file: TaskFile): string {
  return message.replaceAll(/\btasks\[(\d+)\]/g, (path, index: string) => {
    const number = lines[Number(index)];
    return number === undefined ? path : `${file.name}:${number}`;
  });
}

/** The text of each task stays as it is, so that no number loses digits. */
async function* bodyOf(fields: JsonObject, file: TaskFile): AsyncGenerator<string> {
  yield `${JSON.stringify(fields).slice(0, -1)},"tasks":[`;
  let separator = '';
  for await (const { text } of file.lines()) {
    yield `${separator}${text}`;
    separator = ',';
  }
  yield ']}';
}

function fieldsOf(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new UsageError(`--${option} must be a number, not '${text}'.`);
  return value;
}

/** The object of an address. Without a name after the bucket the gateway chooses one. */
function outputOf(address: string | undefined): JsonObject | undefined {
  if (address === undefined) return undefined;
  const [, bucket, key] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(address) ?? [];
  if (bucket === undefined) throw new UsageError(`--s3 must be an address such as s3://bucket/key, not '${address}'.`);
  return { s3: { bucket, ...(key !== undefined && key !== '' && { key }) } };
}

/** Unix seconds of a time, or of a duration from now. */
function momentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{9,}$/.test(text)) return Number(text);
  const wait = parseDuration(text);
  if (wait !== undefined) return Math.ceil((Date.now() + wait) / 1_000);
  const moment = Date.parse(text);
  if (!Number.isNaN(moment)) return Math.ceil(moment / 1_000);
  throw new UsageError(
    `--not-before must be a time such as 2026-12-01T22:00:00Z, or a duration such as 2h, not '${text}'.`,
  );
}
