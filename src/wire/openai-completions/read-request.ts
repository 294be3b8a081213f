import { invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import { asNumber } from '../../runtime/exact-integers.js';
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
/** A text of one token. */
const TOKEN_TEXT = ' a';

/**
 * A request of the legacy completions: its prompt is one message of the user. What only the raw text of a prompt can have
 * (`echo`, `suffix`, `logprobs`, tokens in place of text) is in the body alone, see `nativeOnly`.
 *
 * @throws GatewayError 400 whose `param` names the field
 */
export function readRequest(body: JsonObject): CanonicalRequest {
  const own = Object.entries(body).filter(([name, value]) => !MAPPED.has(name) && value !== null);
  const request: CanonicalRequest = {
    model: modelOf(body),
    messages: [{ role: 'user', blocks: [{ type: 'text', text: promptOf(body) }] }],
  };
  const isEchoed = boolean(body, 'echo') === true;
  // These are in the body alone.
  text(body, 'suffix');
  integer(body, 'logprobs', 0);
  const fields = {
    stream: boolean(body, 'stream'),
    maxOutputTokens: integer(body, 'max_tokens', isEchoed ? 0 : 1),
    temperature: number(body, 'temperature', 0, 2),
    topP: number(body, 'top_p', 0, 1),
    choices: choicesOf(body),
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

/** Several prompts are one text, and a token is a word: as long as what the provider reads. */
function promptOf({ prompt }: JsonObject): string {
  if (typeof prompt === 'string') return prompt;
  if (prompt === undefined || prompt === null) throw missing('prompt', 'Send a string.');
  if (!Array.isArray(prompt)) throw wrongType('prompt', 'a string, or an array of strings or of tokens', prompt);
  if (prompt.length === 0) throw invalidRequest("'prompt' is empty. Send a string.", 'prompt', 'empty_array');
  const all: readonly unknown[] = prompt;
  return all
    .map((each, index) => {
      if (typeof each === 'string') return each;
      const tokens: readonly unknown[] = Array.isArray(each) ? each : [each];
      if (!tokens.every(isToken)) throw wrongType(`prompt[${index}]`, 'a string, a token or an array of tokens', each);
      return TOKEN_TEXT.repeat(tokens.length);
    })
    .join('');
}

function isToken(value: unknown): boolean {
  const number = asNumber(value);
  return number !== undefined && Number.isInteger(number) && number >= 0;
}

/** Choices that the provider makes, of which it may return fewer. */
function choicesOf(body: JsonObject): number | undefined {
  const choices = integer(body, 'n', 1);
  const made = Math.max(choices ?? 1, integer(body, 'best_of', 0) ?? 1);
  const { prompt } = body;
  const isSeveral = Array.isArray(prompt) && !prompt.every((each) => asNumber(each) !== undefined);
  const all = made * (isSeveral ? prompt.length : 1);
  return all === 1 && choices === undefined ? undefined : all;
}

function stopsOf({ stop }: JsonObject): readonly string[] | undefined {
  if (stop === undefined || stop === null) return undefined;
  if (typeof stop === 'string') return [stop];
  const isList = Array.isArray(stop) && stop.every((each) => typeof each === 'string');
  if (!isList) throw wrongType('stop', 'a string or an array of strings', stop);
  return stop;
}
