import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { streamBody } from '../../http/body-stream.js';
import { batchBodyLimit } from '../../http/json-body.interceptor.js';
import { toInstance } from '../../http/to-instance.js';
import { isObject } from '../../runtime/json-value.js';
import type { JsonEndpoint } from '../../model-endpoint/json-endpoint.js';
import type { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { CheckedTasks, MAX_FAULTS, type TaskLimits } from './checked-tasks.js';
import { LineSpool } from './line-spool.js';
import { parsePart } from './parse-part.js';
import { JsonMembers } from './streaming-json.js';
import { readTaskInput, type OpenUrl } from './task-input.js';
import { DEFAULT_ENDPOINT, endpointAt, type JobFields } from './parse-task.js';
import type { SubmissionForm } from './submission-form.js';
import type { TaskSpool } from './task-spool.js';

/** Bytes of a job-level field, and of one task. */
const MAX_PART_BYTES = 32 * 1024 * 1024;

/** Milliseconds of reading after which it yields to the event loop. */
const SLICE_MS = 8;
/** Bytes processed between two checks of the clock. */
const PIECE_BYTES = 16 * 1024;
const LINE_BREAK = /[\n\r]/;
const LINE_BREAKS = /[\n\r]/g;

export interface SubmissionLimits extends TaskLimits {
  /** Decompressed bytes of a body. */
  readonly maxBodySize: number;
  /** Opens the address of an `input`. */
  readonly openUrl: OpenUrl;
}

/** A submission whose tasks are all valid. Its spool must be disposed of. */
export interface Submission<Fields extends object> {
  readonly fields: Fields;
  /** Path of the endpoint of tasks that name none. */
  readonly endpoint: string;
  readonly spool: TaskSpool;
  /** SHA-256 of the decompressed body, in hex. */
  readonly hash: string;
  /** Models that tasks name themselves, with the path of the first use of each. */
  readonly taskModels: ReadonlyMap<string, string>;
}

/**
 * Reads a submission as it arrives: each task is split off, parsed, validated and spooled before the next, so that memory does
 * not grow with the body.
 *
 * @throws GatewayError 400 that names the first 20 faults by path, 413 over the limits, 415 for an unknown encoding
 */
export async function readSubmission<Fields extends object>(
  request: IncomingMessage,
  form: SubmissionForm<Fields>,
  limits: SubmissionLimits,
  endpoints: JsonEndpoints,
): Promise<Submission<Fields>> {
  const reader = new SubmissionReader(form, limits, endpoints);
  let sliceEnd = performance.now() + SLICE_MS;
  /** Processes a chunk piece by piece, and yields after each slice of time. */
  const take = (chunk: Buffer, from: number): Promise<void> | undefined => {
    for (let start = from; start < chunk.length; start += PIECE_BYTES) {
      reader.write(chunk.subarray(start, start + PIECE_BYTES));
      if (performance.now() < sliceEnd) continue;
      return new Promise(setImmediate).then(() => {
        sliceEnd = performance.now() + SLICE_MS;
        return take(chunk, start + PIECE_BYTES);
      });
    }
    return undefined;
  };
  try {
    await streamBody(request, batchBodyLimit(limits.maxBodySize), { write: (chunk) => take(chunk, 0) });
    const submission = await reader.end();
    reader.dispose(true);
    return submission;
  } catch (error) {
    reader.dispose(false);
    throw error;
  }
}

class SubmissionReader<Fields extends object> {
  private tasks: CheckedTasks;
  private readonly hash = createHash('sha256');
  private readonly members: JsonMembers;
  private readonly fields: Record<string, unknown> = {};
  private endpoint: JsonEndpoint;
  /** The tasks as they came, in case the endpoint that they are for comes after them. */
  private readonly unread: LineSpool;

  constructor(
    private readonly form: SubmissionForm<Fields>,
    private readonly limits: SubmissionLimits,
    private readonly endpoints: JsonEndpoints,
  ) {
    this.endpoint = endpointAt(DEFAULT_ENDPOINT, 'endpoint', endpoints);
    this.tasks = new CheckedTasks(limits, endpoints, form);
    this.unread = new LineSpool(limits.directory);
    this.members = new JsonMembers(form.list, MAX_PART_BYTES, {
      member: (name, json, mayOverflow) => {
        if (Object.hasOwn(this.fields, name))
          throw invalidRequest(`'${name}' is given twice.`, name, 'duplicate_field');
        const value = parsePart(json, mayOverflow, name);
        Object.defineProperty(this.fields, name, { value, enumerable: true });
        if (form.hasEndpoint && name === 'endpoint' && value !== null)
          this.endpoint = endpointAt(value, name, this.endpoints);
      },
      element: (json, mayOverflow) => this.task(json, mayOverflow),
    });
  }

  write(chunk: Buffer): void {
    this.hash.update(chunk);
    this.members.write(chunk);
  }

  async end(): Promise<Submission<Fields>> {
    this.members.end();
    await this.readAgain();
    await this.readInput();
    const { tasks } = this;
    const fields = this.jobFields();
    if (tasks.faults.length > 0) throw manyFaults(tasks.faults);
    if (fields === undefined) throw invalidRequest('The request body is invalid.', null);
    return {
      fields,
      endpoint: this.endpoint.path,
      spool: tasks.spool,
      hash: this.hash.digest('hex'),
      taskModels: tasks.models,
    };
  }

  /** @param keepsTasks the submission has them, which frees them later */
  dispose(keepsTasks: boolean): void {
    this.unread.dispose();
    if (!keepsTasks) this.tasks.spool.dispose();
  }

  private task(json: string, mayOverflow: boolean): void {
    const isKnown = !this.form.hasEndpoint || Object.hasOwn(this.fields, 'endpoint');
    // Line breaks are between the parts of a task, never within a text.
    if (!isKnown) this.unread.add(LINE_BREAK.test(json) ? json.replaceAll(LINE_BREAKS, ' ') : json);
    this.tasks.add(json, mayOverflow, this.job);
    if (isKnown && this.tasks.isFull) throw manyFaults(this.tasks.faults);
  }

  /** Checks the tasks once more where the endpoint that they are for came after them. */
  private async readAgain(): Promise<void> {
    if (this.unread.count === 0 || this.endpoint.path === DEFAULT_ENDPOINT) return;
    this.tasks.spool.dispose();
    this.tasks = new CheckedTasks(this.limits, this.endpoints, this.form);
    let sliceEnd = performance.now() + SLICE_MS;
    for (const line of this.unread.lines()) {
      this.tasks.add(line, true, this.job);
      if (this.tasks.isFull) throw manyFaults(this.tasks.faults);
      if (performance.now() < sliceEnd) continue;
      await new Promise(setImmediate);
      sliceEnd = performance.now() + SLICE_MS;
    }
  }

  /** Reads the tasks from another place, once all fields are known. */
  private async readInput(): Promise<void> {
    const input = this.fields['input'];
    const { list } = this.form;
    if (!this.form.hasInput || input == null) return;
    if (this.tasks.count > 0 || this.fields[list] !== undefined) {
      throw invalidRequest(`'input' and '${list}' exclude each other. Send one of them.`, 'input');
    }
    await readTaskInput(input, this.limits.openUrl, {
      limit: batchBodyLimit(this.limits.maxBodySize),
      maxLineBytes: MAX_PART_BYTES,
      take: (line) => {
        this.tasks.add(line, true, this.job);
        if (this.tasks.isFull) throw manyFaults(this.tasks.faults);
      },
    });
    if (this.tasks.count === 0 && isObject(input) && typeof input['url'] === 'string') {
      throw invalidRequest("The content of 'input.url' has no tasks.", 'input.url');
    }
  }

  private get job(): JobFields {
    return { model: this.fields['model'], endpoint: this.endpoint };
  }

  private jobFields(): Fields | undefined {
    const { list } = this.form;
    const { [list]: tasks, ...rest } = this.fields;
    try {
      if (tasks !== undefined) {
        throw invalidRequest(`'${list}' must be an array of tasks.`, list, 'invalid_type');
      }
      const fields = toInstance(this.form.fields, rest, { strayNull: 'absent' });
      if (this.tasks.count === 0) {
        throw invalidRequest(
          `Missing required field '${list}'. Send at least one task.`,
          list,
          'missing_required_parameter',
        );
      }
      return fields;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.tasks.faults.unshift(error);
      return undefined;
    }
  }
}

function manyFaults(faults: readonly GatewayError[]): GatewayError {
  const [first] = faults;
  if (first === undefined || faults.length === 1) return first ?? invalidRequest('The request body is invalid.', null);
  return invalidRequest(
    `${faults.length}${faults.length === MAX_FAULTS ? ' or more' : ''} faults; nothing was stored. ${faults.map(({ message }) => message).join(' ')}`,
    first.param,
    first.code ?? undefined,
  );
}
