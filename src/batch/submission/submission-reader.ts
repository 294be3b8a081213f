import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { clientClosedRequest, unsupportedMediaType } from '../../errors/to-gateway-error.js';
import { toInvalidRequest } from '../../http/validation-errors.js';
import { BatchGenerateDto } from '../batch.dto.js';
import { JsonMembers, parseJson } from './json-members.js';
import { readTask } from './task-line.js';
import { TaskSpool } from './task-spool.js';

/** Faults that one answer names; reading stops at the last of them. */
const MAX_FAULTS = 20;
/** Bytes of a job-level field, and of one task. */
const MAX_PART = 32 * 1024 * 1024;

/** Milliseconds of reading after which others get their turn on the event loop. */
const SLICE = 8;
/** Bytes that are looked at between two looks at the clock. */
const PIECE = 16 * 1024;

export interface SubmissionLimits {
  /** Decompressed bytes of a body. */
  readonly maxBodySize: number;
  readonly maxTasks: number;
  /** Where a submission that is too large for memory is kept while it is checked. */
  readonly directory: string;
}

/** A submission whose every task is good. Its spool must be disposed of. */
export interface Submission {
  readonly fields: BatchGenerateDto;
  readonly spool: TaskSpool;
  /** SHA-256 of the decompressed body, in hex. */
  readonly hash: string;
  /** Models that tasks name themselves, with the path of the first use of each. */
  readonly taskModels: ReadonlyMap<string, string>;
}

/**
 * Reads a submission as it arrives: each task is cut out, parsed, checked and put away before the next, so that memory
 * does not grow with the body.
 *
 * @throws GatewayError 400 that names the first 20 faults by path, 413 over the limits, 415 for an unknown encoding
 */
export async function readSubmission(request: IncomingMessage, limits: SubmissionLimits): Promise<Submission> {
  const reader = new SubmissionReader(limits);
  try {
    let sliceEnd = performance.now() + SLICE;
    for await (const chunk of decoded(request)) {
      for (let start = 0; start < (chunk as Buffer).length; start += PIECE) {
        reader.write((chunk as Buffer).subarray(start, start + PIECE));
        if (performance.now() < sliceEnd) continue;
        await new Promise(setImmediate);
        sliceEnd = performance.now() + SLICE;
      }
    }
    return reader.end();
  } catch (error) {
    reader.spool.dispose();
    throw toReadError(error, request);
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
  private bytes = 0;
  private index = 0;

  constructor(private readonly limits: SubmissionLimits) {
    this.spool = new TaskSpool(limits.directory);
    this.members = new JsonMembers('tasks', MAX_PART, {
      member: (name, json) => {
        if (Object.hasOwn(this.fields, name))
          throw invalidRequest(`'${name}' is given twice.`, name, 'duplicate_field');
        Object.defineProperty(this.fields, name, { value: parseJson(json), enumerable: true });
      },
      element: (json) => this.task(json),
    });
  }

  write(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.limits.maxBodySize) {
      throw tooLarge(`The request body is larger than ${this.limits.maxBodySize} bytes.`);
    }
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

  private task(json: string): void {
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
      const { customId, request, model } = readTask(parseJson(json), index, this.fields['model']);
      if (this.customIds.has(customId)) {
        const param = `tasks[${index}].custom_id`;
        throw invalidRequest(`'${param}' is used twice: '${customId.slice(0, 64)}'.`, param, 'duplicate_custom_id');
      }
      this.customIds.add(customId);
      if (model !== undefined && !this.taskModels.has(model)) this.taskModels.set(model, `tasks[${index}].model`);
      if (this.faults.length === 0) this.spool.add({ customId, request: JSON.stringify(request) });
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
      const fields = plainToInstance(BatchGenerateDto, rest);
      const errors = validateSync(fields, {
        whitelist: true,
        forbidNonWhitelisted: true,
        validationError: { target: false, value: true },
      });
      if (errors.length > 0) throw toInvalidRequest(errors);
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

function decoded(request: IncomingMessage): Readable {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return request;
  const decoder =
    encoding === 'gzip'
      ? createGunzip()
      : encoding === 'deflate'
        ? createInflate()
        : encoding === 'br'
          ? createBrotliDecompress()
          : undefined;
  if (decoder === undefined) {
    throw unsupportedMediaType('Unsupported content-encoding. Send the body plain, or with gzip, deflate or br.');
  }
  return pipeline(request, decoder, () => undefined);
}

function tooLarge(message: string): GatewayError {
  return new GatewayError({
    status: 413,
    type: 'invalid_request_error',
    code: 'request_too_large',
    message: `${message} Split the batch, or ask the operator to raise batch.max_body_size.`,
    headers: { connection: 'close' },
  });
}

function toReadError(error: unknown, request: IncomingMessage): unknown {
  if (error instanceof GatewayError) {
    if (request.complete) return error;
    // The rest of the body is not read, so the connection cannot be used again.
    return new GatewayError({ ...error, message: error.message, headers: { ...error.headers, connection: 'close' } });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (request.destroyed && !request.complete) return clientClosedRequest();
  if (
    code.startsWith('Z_') ||
    code.startsWith('ERR_BUFFER') ||
    code.startsWith('ERR_') ||
    code.startsWith('ERR__ERROR')
  ) {
    return invalidRequest('The request body does not match its content-encoding.', null, 'invalid_encoding');
  }
  return error;
}
