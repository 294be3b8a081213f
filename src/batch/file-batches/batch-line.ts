import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import type { JsonEndpoint } from '../../model-endpoint/json-endpoint.js';
import { isObject } from '../../runtime/json-value.js';
import { checkedCustomId, checkedLine, objectAt, type TaskLine } from '../submission/parse-task.js';

/**
 * Checks a line of an input file: `{custom_id, method, url, body}`.
 *
 * @param value the parsed line
 * @param endpoint that the batch is of; each line has to name it
 * @throws GatewayError 400 whose `param` is the path in the line
 */
export function readBatchLine(value: unknown, endpoint: JsonEndpoint): TaskLine {
  if (!isObject(value)) throw invalidRequest('The line must be a JSON object.', null, 'invalid_type');
  for (const name of ['custom_id', 'method', 'url', 'body']) {
    if (value[name] == null) {
      throw invalidRequest(`Missing required field '${name}'.`, name, 'missing_required_parameter');
    }
  }
  const { method, url } = value;
  if (method !== 'POST') throw invalidRequest("'method' must be POST.", 'method');
  if (url !== endpoint.path) {
    throw invalidRequest(`'url' must be the endpoint of the batch, ${endpoint.path}.`, 'url', 'unsupported_endpoint');
  }
  // The checks of tasks name paths in a submission; those of a line begin in the line.
  try {
    const customId = checkedCustomId(value['custom_id'], 'line');
    return checkedLine(
      customId,
      { endpoint, fields: objectAt(value['body'], 'line.body'), path: 'line.body' },
      undefined,
    );
  } catch (error) {
    throw error instanceof GatewayError ? withinLine(error) : error;
  }
}

function withinLine({ message, param, code }: GatewayError): GatewayError {
  const path = param?.replace(/^line\./, '') ?? null;
  return invalidRequest(message.replaceAll("'line.", "'"), path, code ?? undefined);
}
