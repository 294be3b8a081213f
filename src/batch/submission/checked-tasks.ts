import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import type { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { printExact } from '../../runtime/exact-integers.js';
import type { JobFields } from './parse-task.js';
import { parsePart } from './parse-part.js';
import type { SubmissionForm } from './submission-form.js';
import { TaskSpool } from './task-spool.js';

/** Faults reported in one response; checking stops at the last of them. */
export const MAX_FAULTS = 20;
/** Characters of a custom_id that an error repeats. */
const MAX_SHOWN_CHARACTERS = 64;

export interface TaskLimits {
  readonly maxTasks: number;
  /** Where a submission that is too large for memory is kept while it is checked. */
  readonly directory: string;
}

/** The tasks of a submission, each checked when it is added. */
export class CheckedTasks {
  readonly spool: TaskSpool;
  readonly faults: GatewayError[] = [];
  /** Models that tasks name themselves, with the path of the first use of each. */
  readonly models = new Map<string, string>();
  private readonly customIds = new Set<string>();
  private index = 0;

  constructor(
    private readonly limits: TaskLimits,
    private readonly endpoints: JsonEndpoints,
    private readonly form: Pick<SubmissionForm<object>, 'list' | 'read'>,
  ) {
    this.spool = new TaskSpool(limits.directory);
  }

  /** How many there were, with faults or without. */
  get count(): number {
    return this.index;
  }

  /** Whether as many faults are known as are reported: further tasks are only counted. */
  get isFull(): boolean {
    return this.faults.length >= MAX_FAULTS;
  }

  /**
   * @param json text of the task
   * @param mayOverflow whether it may have a number beyond a double
   * @throws GatewayError for too many tasks, and for text that is no JSON; other faults are collected
   */
  add(json: string, mayOverflow: boolean, job: JobFields): void {
    const { index } = this;
    const { list } = this.form;
    this.index += 1;
    if (this.index > this.limits.maxTasks) {
      throw invalidRequest(
        `'${list}' has more than ${this.limits.maxTasks} tasks. Split the batch.`,
        list,
        'array_above_max_length',
      );
    }
    if (this.isFull) return;
    try {
      this.check(parsePart(json, mayOverflow, `${list}[${index}]`, true), index, job);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'invalid_json') throw error;
      this.faults.push(error);
    }
  }

  private check(task: unknown, index: number, job: JobFields): void {
    const { customId, endpoint, request, model, modelPath } = this.form.read(task, index, job, this.endpoints);
    if (this.customIds.has(customId)) {
      const param = `${this.form.list}[${index}].custom_id`;
      const shown = customId.slice(0, MAX_SHOWN_CHARACTERS);
      throw invalidRequest(`'${param}' is used twice: '${shown}'.`, param, 'duplicate_custom_id');
    }
    this.customIds.add(customId);
    if (model !== undefined && !this.models.has(model)) this.models.set(model, modelPath);
    if (this.faults.length > 0) return;
    const { operation, dialect } = endpoint;
    this.spool.add({ customId, operation, dialect, request: printExact(request) });
  }
}
