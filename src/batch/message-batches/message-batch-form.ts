import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import type { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import {
  checkedCustomId,
  checkedLine,
  endpointAt,
  objectAt,
  PARAMS_ENDPOINT,
  type TaskLine,
} from '../submission/parse-task.js';
import type { SubmissionForm } from '../submission/submission-form.js';
import type { JobFields } from '../submission/parse-task.js';
import { CreateMessageBatchDto } from './message-batches.dto.js';

const LIST = 'requests';

/** The body of `POST /v1/messages/batches`: `{requests: [{custom_id, params}]}`. */
export const MESSAGE_BATCH_FORM: SubmissionForm<CreateMessageBatchDto> = {
  list: LIST,
  hasEndpoint: false,
  hasInput: false,
  fields: CreateMessageBatchDto,
  read: readMessageRequest,
};

/** Reads one of `requests`. @throws GatewayError 400 whose `param` begins with `requests[index]` */
function readMessageRequest(task: unknown, index: number, _job: JobFields, endpoints: JsonEndpoints): TaskLine {
  const path = `${LIST}[${index}]`;
  if (!isObject(task))
    throw invalidRequest(`'${path}' must be an object with custom_id and params.`, path, 'invalid_type');
  for (const name of ['custom_id', 'params']) {
    const param = `${path}.${name}`;
    if (task[name] == null) {
      throw invalidRequest(`Missing required field '${param}'.`, param, 'missing_required_parameter');
    }
  }
  const unknown = Object.keys(task).find((name) => name !== 'custom_id' && name !== 'params');
  if (unknown !== undefined) {
    const param = `${path}.${unknown}`;
    throw invalidRequest(
      `Unknown field '${param}'. A request has custom_id and params; fields of the message belong into params.`,
      param,
      'unknown_parameter',
    );
  }
  const endpoint = endpointAt(PARAMS_ENDPOINT, path, endpoints);
  const body = { endpoint, fields: objectAt(task['params'], `${path}.params`), path: `${path}.params` };
  return checkedLine(checkedCustomId(task['custom_id'], path), body, undefined);
}
