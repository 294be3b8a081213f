import type { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { BatchGenerateDto } from '../batch-generate.dto.js';
import { readTask, type JobFields, type TaskLine } from './parse-task.js';

/** The form of a submission: one object with a list of tasks and fields of the job. */
export interface SubmissionForm<Fields extends object> {
  /** The member that is the list of tasks. */
  readonly list: string;
  /** Whether the job's `endpoint` says what its tasks are; it may follow them in the body. */
  readonly hasEndpoint: boolean;
  /** Whether `input` may say where the tasks are read from. */
  readonly hasInput: boolean;
  /** The class of the other members. */
  readonly fields: new () => Fields;
  /** Reads one task. @throws GatewayError 400 whose `param` begins with `list[index]` */
  readonly read: (task: unknown, index: number, job: JobFields, endpoints: JsonEndpoints) => TaskLine;
}

/** The body of `POST /v1/batch/generate`. */
export const GENERATE_FORM: SubmissionForm<BatchGenerateDto> = {
  list: 'tasks',
  hasEndpoint: true,
  hasInput: true,
  fields: BatchGenerateDto,
  read: readTask,
};
