import { isObject } from '../../runtime/json-value.js';
import { parseChatRequest, removeUnlimited } from '../../chat/chat-request.pipe.js';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';

/** A task in the form in which it is stored. */
export interface TaskLine {
  readonly customId: string;
  /** The task's own chat fields, always with `messages`. */
  readonly request: Readonly<Record<string, unknown>>;
  /** The model that the task itself names, if any. */
  readonly model: string | undefined;
}

const MAX_CUSTOM_ID_LENGTH = 512;
/** Control characters and lone surrogates, which databases do not store. */
const UNSTORABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * Reads a task in any of the supported shapes: a bare string, `{prompt}`, a chat request, a line of OpenAI's batch files
 * (`{custom_id, method, url, body}`) or of Anthropic's (`{custom_id, params}`).
 *
 * @throws GatewayError 400 whose `param` begins with `tasks[index]`
 */
export function readTask(task: unknown, index: number, jobModel: unknown): TaskLine {
  const path = `tasks[${index}]`;
  if (typeof task === 'string') {
    if (task === '') throw invalidRequest(`'${path}' is an empty string. Send a prompt.`, path);
    return { customId: `task-${index}`, request: { messages: [{ role: 'user', content: task }] }, model: undefined };
  }
  if (!isObject(task)) {
    throw invalidRequest(`'${path}' must be an object or a string.`, path, 'invalid_type');
  }
  const customId = customIdOf(task['custom_id'], index, path);
  const [request, requestPath] = chatFieldsOf(task, path);
  within(requestPath, () => {
    if (request['stream'] === true) {
      throw invalidRequest("'stream' cannot be true in a batch. Leave it out.", 'stream', 'invalid_value');
    }
    // Uses the job's model where the task names none, so that the whole request is validated.
    parseChatRequest(
      request['model'] == null ? { ...request, model: typeof jobModel === 'string' ? jobModel : 'x' } : request,
    );
    removeUnlimited(request);
  });
  return { customId, request, model: typeof request['model'] === 'string' ? request['model'] : undefined };
}

function chatFieldsOf(task: Record<string, unknown>, path: string): [fields: Record<string, unknown>, path: string] {
  if (task['body'] !== undefined) {
    const { method, url, body } = task;
    if (method != null && (typeof method !== 'string' || method.toUpperCase() !== 'POST')) {
      throw invalidRequest(`'${path}.method' must be POST.`, `${path}.method`);
    }
    if (url != null && (typeof url !== 'string' || !/^(?:.*\/)?chat\/completions\/?$/.test(url))) {
      throw invalidRequest(
        `'${path}.url' must be /v1/chat/completions: batches run chat completions alone.`,
        `${path}.url`,
      );
    }
    return [objectAt(body, `${path}.body`), `${path}.body`];
  }
  if (task['params'] !== undefined) {
    return [fromAnthropic(objectAt(task['params'], `${path}.params`)), `${path}.params`];
  }
  const { custom_id: _customId, prompt, ...fields } = task;
  if (prompt == null) return [fields, path];
  if (fields['messages'] != null) {
    throw invalidRequest(`'${path}' has both prompt and messages. Send one of them.`, `${path}.prompt`);
  }
  if (typeof prompt !== 'string' || prompt === '') {
    throw invalidRequest(`'${path}.prompt' must be a string that is not empty.`, `${path}.prompt`, 'invalid_type');
  }
  return [{ ...fields, messages: [{ role: 'user', content: prompt }] }, path];
}

/** Reads Anthropic's form: `system` is beside the messages, and stop sequences are `stop_sequences`. Other fields pass unchanged. */
function fromAnthropic({ system, stop_sequences: stop, ...fields }: Record<string, unknown>): Record<string, unknown> {
  if (stop != null) fields['stop'] = stop;
  if (system != null && Array.isArray(fields['messages'])) {
    fields['messages'] = [{ role: 'system', content: system }, ...(fields['messages'] as unknown[])];
  }
  return fields;
}

function customIdOf(value: unknown, index: number, path: string): string {
  if (value == null) return `task-${index}`;
  const param = `${path}.custom_id`;
  if (typeof value !== 'string') throw invalidRequest(`'${param}' must be a string.`, param, 'invalid_type');
  if (value === '' || value.length > MAX_CUSTOM_ID_LENGTH || UNSTORABLE.test(value)) {
    throw invalidRequest(
      `'${param}' must be 1 to ${MAX_CUSTOM_ID_LENGTH} characters without control characters.`,
      param,
    );
  }
  return value;
}

function objectAt(value: unknown, path: string): Record<string, unknown> {
  if (!isObject(value)) throw invalidRequest(`'${path}' must be an object.`, path, 'invalid_type');
  return { ...value };
}

/** Prefixes the path of faults of a chat request with the path in the submission. */
function within(path: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const param = error.param === null ? path : `${path}.${error.param}`;
    const message =
      error.param === null ? `'${path}': ${error.message}` : error.message.replaceAll(`'${error.param}`, `'${param}`);
    throw invalidRequest(message, param, error.code ?? undefined);
  }
}
