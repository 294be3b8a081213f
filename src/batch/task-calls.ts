import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { notFound, type GatewayError } from '../errors/gateway-error.js';
import type { JobDefault, JsonEndpoint, WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { JsonEndpoints } from '../model-endpoint/json-endpoints.js';
import type { JsonObject } from '../runtime/json-value.js';
import type { ClaimedJob, ClaimedTask } from './claimed-tasks.js';

/** Runs the requests of tasks as their endpoints run live ones. */
@Injectable()
export class TaskCalls {
  constructor(private readonly endpoints: JsonEndpoints) {}

  /** @throws GatewayError as the endpoint does; 404 `unsupported_endpoint` for a task that was stored by a newer version */
  async run(
    { operation, dialect, request }: Pick<ClaimedTask, 'operation' | 'dialect' | 'request'>,
    job: Pick<ClaimedJob, 'model' | 'defaults'>,
    context: CallContext,
  ): Promise<WrittenResponse> {
    const endpoint = this.endpoints.of(operation, dialect);
    if (endpoint === undefined) throw unknownEndpoint(operation, dialect);
    return endpoint.respond(wholeRequest(endpoint, request, job), context);
  }
}

/** The body of a task's request, with what it inherits from its job. */
export function wholeRequest(
  endpoint: JsonEndpoint,
  request: Readonly<JsonObject>,
  { model, defaults }: Pick<ClaimedJob, 'model' | 'defaults'>,
): JsonObject {
  // A batch has no streams; `true` is refused when a task is submitted.
  const { stream: _stream, ...fields } = request;
  return { model, ...inherited(endpoint, defaults), ...fields };
}

/** A job's fields by the endpoint's own names. */
function inherited({ task }: JsonEndpoint, defaults: Readonly<JsonObject>): JsonObject {
  const fields: JsonObject = {};
  for (const name in defaults) {
    const own = task.defaults[name as JobDefault];
    if (own !== undefined) fields[own] = defaults[name];
  }
  return fields;
}

function unknownEndpoint(operation: string, dialect: string | null): GatewayError {
  const format = dialect === null ? '' : ` in the format '${dialect}'`;
  return notFound(
    `This version of the gateway does not run batch tasks of '${operation}'${format}.`,
    'unsupported_endpoint',
  );
}
