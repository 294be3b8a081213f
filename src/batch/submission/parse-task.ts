import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import type { JsonEndpoint } from '../../model-endpoint/json-endpoint.js';
import type { JsonEndpoints } from '../../model-endpoint/json-endpoints.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** The endpoint of tasks that name none, in jobs that name none. */
export const DEFAULT_ENDPOINT = '/v1/chat/completions';
/** The endpoint of `params`, which are lines of Anthropic's batches. */
export const PARAMS_ENDPOINT = '/v1/messages';

/** A task in the form in which it is stored. */
export interface TaskLine {
  readonly customId: string;
  readonly endpoint: JsonEndpoint;
  /** The task's own fields of the endpoint's body. */
  readonly request: Readonly<JsonObject>;
  /** The model that the task itself names, if any. */
  readonly model: string | undefined;
  /** Where it names its model. */
  readonly modelPath: string;
}

/** What a task takes from its job. */
export interface JobFields {
  readonly model: unknown;
  readonly endpoint: JsonEndpoint;
}

/** A task's own body, and the endpoint that it is for. */
export interface TaskBody {
  readonly endpoint: JsonEndpoint;
  readonly fields: JsonObject;
  /** Where the fields are. */
  readonly path: string;
}

const MAX_CUSTOM_ID_CHARACTERS = 512;
/** Characters of a value that an error repeats. */
const MAX_SHOWN_CHARACTERS = 80;
/** Control characters and lone surrogates, which databases do not store. */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * Reads a task in any of the supported shapes: a bare string, `{prompt}`, a request of an endpoint, a line of OpenAI's batch files
 * (`{custom_id, method, url, body}`) or of Anthropic's (`{custom_id, params}`). The endpoint itself validates the request.
 *
 * @throws GatewayError 400 whose `param` begins with `tasks[index]`
 */
export function readTask(task: unknown, index: number, job: JobFields, endpoints: JsonEndpoints): TaskLine {
  const path = `tasks[${index}]`;
  const { customId, body } = bodyOf(task, index, path, job.endpoint, endpoints);
  return checkedLine(customId, body, typeof job.model === 'string' ? job.model : 'x');
}

/**
 * Checks a request as its endpoint does.
 *
 * @param jobModel the model of a request that names none; undefined where each must name its own
 * @throws GatewayError 400 whose `param` begins with the path of the body
 */
export function checkedLine(
  customId: string,
  { endpoint, fields, path }: TaskBody,
  jobModel: string | undefined,
): TaskLine {
  within(path, () => {
    for (const name of ['stream', ...(endpoint.task.neverTrue ?? [])]) {
      if (fields[name] === true) throw invalidRequest(`'${name}' cannot be true in a batch. Leave it out.`, name);
    }
    const own = fields['model'] ?? jobModel;
    if (own === undefined) {
      throw invalidRequest("Missing required field 'model'.", 'model', 'missing_required_parameter');
    }
    // A copy, because endpoints may change members. With the job's model, so that the whole request is validated.
    endpoint.parse({ ...fields, model: own });
  });
  const { model } = fields;
  return {
    customId,
    endpoint,
    request: fields,
    model: typeof model === 'string' ? model : undefined,
    modelPath: `${path}.model`,
  };
}

/** @throws GatewayError 400 for what is no endpoint that tasks can be for */
export function endpointAt(value: unknown, path: string, endpoints: JsonEndpoints): JsonEndpoint {
  if (typeof value !== 'string') throw invalidRequest(`'${path}' must be a string.`, path, 'invalid_type');
  const found = endpoints.at(value);
  if (found !== undefined) return found;
  throw invalidRequest(
    `'${path}' must be an endpoint that batches run, not '${value.slice(0, MAX_SHOWN_CHARACTERS)}': one of ${endpoints.paths.join(', ')}.`,
    path,
  );
}

function bodyOf(
  task: unknown,
  index: number,
  path: string,
  jobEndpoint: JsonEndpoint,
  endpoints: JsonEndpoints,
): { customId: string; body: TaskBody } {
  if (typeof task === 'string') {
    if (task === '') throw invalidRequest(`'${path}' is an empty string. Send a prompt.`, path);
    const fields = textFields(jobEndpoint, task, path);
    return { customId: `task-${index}`, body: { endpoint: jobEndpoint, fields, path } };
  }
  if (!isObject(task)) {
    throw invalidRequest(`'${path}' must be an object or a string.`, path, 'invalid_type');
  }
  const customId = customIdOf(task['custom_id'], index, path);
  const named = (name: string): JsonEndpoint | undefined =>
    task[name] == null ? undefined : endpointAt(task[name], `${path}.${name}`, endpoints);
  if (task['body'] !== undefined || task['method'] != null || task['url'] != null) {
    return { customId, body: lineBody(task, path, named('url') ?? named('endpoint') ?? jobEndpoint) };
  }
  if (task['params'] !== undefined) {
    const endpoint = endpointAt(PARAMS_ENDPOINT, path, endpoints);
    if ((named('endpoint') ?? endpoint) !== endpoint) {
      const param = `${path}.endpoint`;
      throw invalidRequest(
        `'${param}' must be ${PARAMS_ENDPOINT} beside 'params'. Put other requests in 'body'.`,
        param,
      );
    }
    return { customId, body: { endpoint, fields: objectAt(task['params'], `${path}.params`), path: `${path}.params` } };
  }
  return { customId, body: flatBody(task, path, named('endpoint') ?? jobEndpoint) };
}

/** A line of OpenAI's batch files. */
function lineBody({ method, body }: JsonObject, path: string, endpoint: JsonEndpoint): TaskBody {
  if (method != null && (typeof method !== 'string' || method.toUpperCase() !== 'POST')) {
    throw invalidRequest(`'${path}.method' must be POST.`, `${path}.method`);
  }
  const param = `${path}.body`;
  if (body === undefined) {
    throw invalidRequest(
      `Missing required field '${param}'. Send the body of a request of ${endpoint.path}.`,
      param,
      'missing_required_parameter',
    );
  }
  return { endpoint, fields: objectAt(body, param), path: param };
}

/** A request whose fields are the task's own, or a prompt in their place. */
function flatBody(task: JsonObject, path: string, endpoint: JsonEndpoint): TaskBody {
  const { custom_id: _customId, endpoint: _endpoint, prompt, ...fields } = task;
  if (prompt == null) return { endpoint, fields, path };
  const isOwn = endpoint.task.ofText === undefined || (endpoint.task.hasPrompt === true && typeof prompt !== 'string');
  if (isOwn) return { endpoint, fields: { ...fields, prompt }, path };
  if (typeof prompt !== 'string' || prompt === '') {
    throw invalidRequest(`'${path}.prompt' must be a string that is not empty.`, `${path}.prompt`, 'invalid_type');
  }
  const made = textFields(endpoint, prompt, path);
  const other = Object.keys(made).find((name) => fields[name] != null);
  if (other !== undefined) {
    throw invalidRequest(`'${path}' has both prompt and ${other}. Send one of them.`, `${path}.prompt`);
  }
  return { endpoint, fields: { ...fields, ...made }, path };
}

function textFields({ task, path: endpointPath }: JsonEndpoint, text: string, path: string): JsonObject {
  if (task.ofText !== undefined) return task.ofText(text);
  throw invalidRequest(
    `'${path}' must be an object with the fields of ${endpointPath}, which takes more than a text.`,
    path,
    'invalid_type',
  );
}

function customIdOf(value: unknown, index: number, path: string): string {
  return value == null ? `task-${index}` : checkedCustomId(value, path);
}

/** @throws GatewayError 400 for what is no name of a task */
export function checkedCustomId(value: unknown, path: string): string {
  const param = `${path}.custom_id`;
  if (typeof value !== 'string') throw invalidRequest(`'${param}' must be a string.`, param, 'invalid_type');
  if (value === '' || value.length > MAX_CUSTOM_ID_CHARACTERS || UNSTORABLE.test(value)) {
    throw invalidRequest(
      `'${param}' must be 1 to ${MAX_CUSTOM_ID_CHARACTERS} characters without control characters.`,
      param,
    );
  }
  return value;
}

/** @throws GatewayError 400 for what is no object */
export function objectAt(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw invalidRequest(`'${path}' must be an object.`, path, 'invalid_type');
  return value;
}

/** Prefixes the path of faults of a request with the path in the submission. */
function within(path: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { param, message, code } = error;
    const whole = param === null ? path : `${path}.${param}`;
    const named = param === null ? message : message.replaceAll(`'${param}`, `'${whole}`);
    throw invalidRequest(named.includes(`'${whole}`) ? named : `'${whole}': ${named}`, whole, code ?? undefined);
  }
}
