import { Injectable } from '@nestjs/common';
import { ERROR_CODES, type ErrorCode } from '../errors/error-codes.js';
import { GatewayError } from '../errors/gateway-error.js';
import { ErrorFormats, type ErrorWriter } from '../http/error-formats.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import { nonEmptyString, objectOf, type JsonObject } from '../runtime/json-value.js';

/** Of an error that is stored without its status, and with a code that has none. */
const UNKNOWN_STATUS = 500;

interface OfEndpoint {
  readonly operation: string;
  readonly dialect: string | null;
}

/**
 * Errors of tasks: stored in OpenAI's form, as `{message, type, param, code}`, and shown as the member `error` of the body that the
 * task's endpoint would have responded with. For an endpoint with a form of its own the HTTP status is stored too, since that form
 * depends on it.
 */
@Injectable()
export class TaskErrors {
  constructor(
    private readonly endpoints: JsonEndpoints,
    private readonly formats: ErrorFormats,
  ) {}

  /** JSON text to store. */
  stored(error: GatewayError, of: OfEndpoint): string {
    const { error: detail } = error.toBody();
    return JSON.stringify(this.writerOf(of) === undefined ? detail : { ...detail, status: error.status });
  }

  /** JSON text to show. */
  shown(stored: string, of: OfEndpoint): string {
    const write = this.writerOf(of);
    if (write === undefined) return stored;
    const body = write(readStored(stored), '') as JsonObject;
    return JSON.stringify(body['error']);
  }

  private writerOf({ operation, dialect }: OfEndpoint): ErrorWriter | undefined {
    // Every endpoint without a format of its own has OpenAI's errors.
    const endpoint = dialect === null ? undefined : this.endpoints.of(operation, dialect);
    return endpoint === undefined ? undefined : this.formats.of(endpoint.path);
  }
}

function readStored(text: string): GatewayError {
  const detail = objectOf(JSON.parse(text));
  const { status } = detail;
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
