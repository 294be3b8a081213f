import { Injectable } from '@nestjs/common';
import { ERROR_CODES, type ErrorCode } from '../errors/error-codes.js';
import { GatewayError } from '../errors/gateway-error.js';
import { ErrorFormats, type ErrorWriter } from '../http/error-formats.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { nonEmptyString, objectOf, type JsonObject } from '../runtime/json-value.js';

/** Of an error that is stored without its status, and with a code that has none. */
const UNKNOWN_STATUS = 500;

/** The error of a task in its result. */
export interface ShownError {
  /** JSON text: the member `error` of the endpoint's error body. */
  readonly error: string;
  /** HTTP status with which the endpoint would have responded. */
  readonly statusCode: number;
  /** The id of the call in the log; null where none was made, or where an older version stored the error. */
  readonly requestId: string | null;
}

interface OfEndpoint {
  readonly operation: string;
  readonly dialect: string | null;
}

/**
 * Errors of tasks: stored in OpenAI's form, as `{message, type, param, code}`, and shown as the member `error` of the body that the
 * task's endpoint would have responded with. The HTTP status and the id of the call are stored beside it.
 */
@Injectable()
export class TaskErrors {
  constructor(
    private readonly endpoints: JsonEndpoints,
    private readonly formats: ErrorFormats,
  ) {}

  /** JSON text to store. @param requestId of the call that failed */
  stored(error: GatewayError, requestId: string): string {
    return JSON.stringify({ ...error.toBody().error, status: error.status, request_id: requestId });
  }

  /** What a result says of its error. */
  shown(stored: string, of: OfEndpoint): ShownError {
    const { status, request_id: id, ...detail } = objectOf(JSON.parse(stored));
    const error = readError(detail, status);
    const write = this.writerOf(of);
    const body = write === undefined ? { error: detail } : (write(error, '') as JsonObject);
    return {
      error: JSON.stringify(body['error']),
      statusCode: error.status,
      requestId: nonEmptyString(id) ?? null,
    };
  }

  private writerOf({ operation, dialect }: OfEndpoint): ErrorWriter | undefined {
    // Every endpoint without a format of its own has OpenAI's errors.
    const endpoint = dialect === null ? undefined : this.endpoints.of(operation, dialect);
    return endpoint === undefined ? undefined : this.formats.of(endpoint.path);
  }
}

function readError(detail: JsonObject, status: unknown): GatewayError {
  const code = nonEmptyString(detail['code']);
  const ofCode =
    code !== undefined && Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode] : UNKNOWN_STATUS;
  return new GatewayError({
    status: typeof status === 'number' ? status : ofCode,
    message: nonEmptyString(detail['message']) ?? 'The task failed.',
    type: nonEmptyString(detail['type']) ?? 'server_error',
    code: (code ?? null) as GatewayError['code'],
    param: nonEmptyString(detail['param']) ?? null,
  });
}
