import { invalidRequest, type GatewayError } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';

/**
 * Why no other format can hold a request of the legacy completions: what only the raw text of a prompt can have.
 *
 * @returns a 400 that names the field; undefined where the prompt can be one message of a chat
 */
export function nativeOnly(body: Readonly<JsonObject>): GatewayError | undefined {
  const { prompt, echo, suffix, logprobs, best_of: bestOf, n } = body;
  if (echo === true) return unsupported('echo', 'Put the prompt in front of the text yourself.');
  if (suffix !== undefined && suffix !== null && suffix !== '') {
    return unsupported('suffix', 'Chat models do not fill in text. Leave it out.');
  }
  if (logprobs !== undefined && logprobs !== null) return unsupported('logprobs', 'Use POST /v1/chat/completions.');
  if (bestOf !== undefined && bestOf !== null && bestOf !== 0 && bestOf !== 1 && bestOf !== n)
    return unsupported('best_of', 'Use n.');
  if (!Array.isArray(prompt)) return undefined;
  if (typeof prompt[0] !== 'string') return unsupported('prompt', 'Chat models take no tokens. Send a string.');
  if (prompt.length > 1) return unsupported('prompt', 'Chat models take one prompt. Send one each.');
  return undefined;
}

function unsupported(name: string, advice: string): GatewayError {
  return invalidRequest(
    `'${name}' is not supported by this model, which has no completions API, so that its prompt goes to a chat. ${advice}`,
    name,
    'unsupported_parameter',
  );
}
