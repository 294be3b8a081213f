import { printExact } from '../../runtime/exact-integers.js';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { streamBody } from '../../http/body-stream.js';
import { batchBodyLimit } from '../../http/json-body.interceptor.js';
import { assertFinite } from '../../http/json-bounds.js';
import { parseJson } from '../../http/read-json.js';
import { toInstance } from '../../http/to-instance.js';
import { BatchGenerateDto } from '../batch-generate.dto.js';
import { inPart, JsonMembers } from './streaming-json.js';
import { readTask } from './parse-task.js';
import { TaskSpool } from './task-spool.js';

/** Faults reported in one response; reading stops at the last of them. */
const MAX_FAULTS = 20;
/** Bytes of a job-level field, and of one task. */
const MAX_PART_BYTES = 32 * 1024 * 1024;

/** Milliseconds of reading after which it yields to the event loop. */
const SLICE_MS = 8;
/** Bytes processed between two checks of the clock. */
const PIECE_BYTES = 16 * 1024;

export interface SubmissionLimits {
  /** Decompressed bytes of a body. */
  readonly maxBodySize: number;
  readonly maxTasks: number;
  /** Where a submission that is too large for memory is kept while it is checked. */
  readonly directory: string;
}

/** A submission whose tasks are all valid. Its spool must be disposed of. */
export interface Submission {
  readonly fields: BatchGenerateDto;
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
export async function readSubmission(request: IncomingMessage, limits: SubmissionLimits): Promise<Submission> {
  const reader = new SubmissionReader(limits);
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
    return reader.end();
  } catch (error) {
    reader.spool.dispose();
    throw error;
  }
}

class SubmissionReader {
  readonly spool: TaskSpool;
  private readonly hash = createHash('sha256');
  private readonly members: JsonMembers;
  private readonly fields: Record<string, unknown> = {};
  private readonly customIds = new Set<string>();
  private readonly taskModels = new Map<string, string>();
  private readonly faults: GatewayError[] = [];
  private index = 0;

  constructor(private readonly limits: SubmissionLimits) {
    this.spool = new TaskSpool(limits.directory);
    this.members = new JsonMembers('tasks', MAX_PART_BYTES, {
      member: (name, json, mayOverflow) => {
        if (Object.hasOwn(this.fields, name))
          throw invalidRequest(`'${name}' is given twice.`, name, 'duplicate_field');
        Object.defineProperty(this.fields, name, { value: parsePart(json, mayOverflow, name), enumerable: true });
      },
      element: (json, mayOverflow) => this.task(json, mayOverflow),
    });
  }

  write(chunk: Buffer): void {
    this.hash.update(chunk);
    this.members.write(chunk);
  }

  end(): Submission {
    this.members.end();
    const fields = this.jobFields();
    if (this.faults.length > 0) throw manyFaults(this.faults);
    if (fields === undefined) throw invalidRequest('The request body is invalid.', null);
    return { fields, spool: this.spool, hash: this.hash.digest('hex'), taskModels: this.taskModels };
  }

  private task(json: string, mayOverflow: boolean): void {
    const { index } = this;
    this.index += 1;
    if (this.index > this.limits.maxTasks) {
      throw invalidRequest(
        `'tasks' has more than ${this.limits.maxTasks} tasks. Split the batch.`,
        'tasks',
        'array_above_max_length',
      );
    }
    try {
      const { customId, request, model } = readTask(
        parsePart(json, mayOverflow, `tasks[${index}]`, true),
        index,
        this.fields['model'],
      );
      if (this.customIds.has(customId)) {
        const param = `tasks[${index}].custom_id`;
        throw invalidRequest(`'${param}' is used twice: '${customId.slice(0, 64)}'.`, param, 'duplicate_custom_id');
      }
      this.customIds.add(customId);
      if (model !== undefined && !this.taskModels.has(model)) this.taskModels.set(model, `tasks[${index}].model`);
      if (this.faults.length === 0) this.spool.add({ customId, request: printExact(request) });
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'invalid_json') throw error;
      this.faults.push(error);
      if (this.faults.length === MAX_FAULTS) throw manyFaults(this.faults);
    }
  }

  private jobFields(): BatchGenerateDto | undefined {
    const { tasks, ...rest } = this.fields;
    try {
      if (tasks !== undefined) {
        throw invalidRequest("'tasks' must be an array of tasks.", 'tasks', 'invalid_type');
      }
      const fields = toInstance(BatchGenerateDto, rest, { strayNull: 'absent' });
      if (this.index === 0) {
        throw invalidRequest(
          "Missing required field 'tasks'. Send at least one task.",
          'tasks',
          'missing_required_parameter',
        );
      }
      return fields;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.faults.unshift(error);
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

/** Parses a part of the body. @throws GatewayError 400 where it is not JSON or has a number beyond a double */
function parsePart(json: string, mayOverflow: boolean, path: string, isExact = false): unknown {
  const value = parseJson(json, isExact);
  if (!mayOverflow) return value;
  try {
    assertFinite(value);
    return value;
  } catch (error) {
    throw error instanceof GatewayError ? inPart(error, path) : error;
  }
}
