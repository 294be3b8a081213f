import { invalidRequest, type GatewayError } from '../../errors/gateway-error.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { missing, wrongType } from '../openai-responses/path-faults.js';
import { boolean, integer, number, object, text } from '../openai-responses/scalars.js';

export const COMPLETIONS = 'openai-completions';

/** Members that the canonical form holds, or without which nothing is lost. */
const MAPPED = new Set([
  ...['model', 'prompt', 'max_tokens', 'temperature', 'top_p', 'n', 'stop', 'stream', 'stream_options', 'seed'],
  ...['presence_penalty', 'frequency_penalty', 'logit_bias', 'user', 'best_of', 'echo', 'suffix', 'logprobs'],
  ...['strict_params'],
]);
const MAX_MODEL_CHARACTERS = 256;

/**
 * A request of the legacy completions: its prompt is one message of the user. What only the raw text of a prompt can have
 * (`echo`, `suffix`, `logprobs`, tokens in place of text) is refused.
 *
 * @throws GatewayError 400 whose `param` names the field
 */
export function readRequest(body: JsonObject): CanonicalRequest {
  assertPlain(body);
  const own = Object.entries(body).filter(([name, value]) => !MAPPED.has(name) && value !== null);
  const request: CanonicalRequest = {
    model: modelOf(body),
    messages: [{ role: 'user', blocks: [{ type: 'text', text: promptOf(body) }] }],
  };
  const fields = {
    stream: boolean(body, 'stream'),
    maxOutputTokens: integer(body, 'max_tokens', 1),
    temperature: number(body, 'temperature', 0, 2),
    topP: number(body, 'top_p', 0, 1),
    choices: integer(body, 'n', 1),
    stop: stopsOf(body),
    seed: integer(body, 'seed', Number.MIN_SAFE_INTEGER),
    presencePenalty: number(body, 'presence_penalty', -2, 2),
    frequencyPenalty: number(body, 'frequency_penalty', -2, 2),
    logitBias: object(body, 'logit_bias'),
    endUser: text(body, 'user'),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    ...request,
    ...Object.fromEntries(given),
    ...(own.length > 0 && { extras: { [COMPLETIONS]: Object.fromEntries(own) } }),
  };
}

function modelOf({ model }: JsonObject): string {
  if (typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_CHARACTERS) return model;
  if (model === undefined || model === null) throw missing('model', 'Name one of GET /v1/models.');
  throw wrongType('model', `a string of 1 to ${MAX_MODEL_CHARACTERS} characters`, model);
}

function promptOf({ prompt }: JsonObject): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt === undefined || prompt === null) throw missing('prompt', 'Send a string.');
  if (!Array.isArray(prompt)) throw wrongType('prompt', 'a string or an array with one string', prompt);
  const [first] = prompt as readonly unknown[];
  if (prompt.length === 0) throw invalidRequest("'prompt' is empty. Send a string.", 'prompt', 'empty_array');
  if (typeof first !== 'string')
    throw unsupported('prompt', 'Tokens in place of text are not supported. Send a string.');
  if (prompt.length > 1)
    throw unsupported('prompt', 'Several prompts in one request are not supported. Send one each.');
  return first;
}

function assertPlain(body: JsonObject): void {
  const { echo, suffix, logprobs, best_of: bestOf, n } = body;
  if (echo === true) throw unsupported('echo', 'Put the prompt in front of the text yourself.');
  if (suffix !== undefined && suffix !== null && suffix !== '') {
    throw unsupported('suffix', 'Chat models do not fill in text. Leave it out.');
  }
  if (logprobs !== undefined && logprobs !== null) throw unsupported('logprobs', 'Use POST /v1/chat/completions.');
  if (bestOf !== undefined && bestOf !== null && bestOf !== 1 && bestOf !== n) throw unsupported('best_of', 'Use n.');
}

function unsupported(name: string, advice: string): GatewayError {
  return invalidRequest(
    `'${name}' is not supported here, since the prompt goes to a chat model. ${advice}`,
    name,
    'unsupported_parameter',
  );
}

function stopsOf({ stop }: JsonObject): readonly string[] | undefined {
  if (stop === undefined || stop === null) return undefined;
  if (typeof stop === 'string') return [stop];
  const isList = Array.isArray(stop) && stop.every((each) => typeof each === 'string');
  if (!isList) throw wrongType('stop', 'a string or an array of strings', stop);
  return stop;
}
