import type { JobOutputDto } from './output.dto.js';

export const OUTPUT_STATES = ['waiting', 'writing', 'written', 'failed'] as const;
export type OutputState = (typeof OUTPUT_STATES)[number];

/** An object in a bucket. */
export interface OutputObject {
  readonly bucket: string;
  readonly key: string;
}

/** The output of a job as it is stored in its row. */
export interface JobOutput extends OutputObject {
  readonly state: OutputState;
  readonly bytes: number;
  readonly error: string | null;
}

/** The output of a new job. @param object whose name may end with a slash */
export function newOutput({ bucket, key }: OutputObject, jobId: string): JobOutput {
  const name = key === '' || key.endsWith('/') ? `${key}${jobId}.jsonl` : key;
  return { bucket, key: name, state: 'waiting', bytes: 0, error: null };
}

/** The member `output` of a job's status; nothing for a job without one. */
export function outputOf({ output }: { readonly output: JobOutput | null }): { output?: JobOutputDto } {
  if (output === null) return {};
  const { bucket, key, state, bytes, error } = output;
  return { output: { s3: { bucket, key }, state, bytes, error } };
}
